/* Where an address is: country, region, city, continent, from a MaxMind database. The only includer
 * of maxminddb. The address itself goes nowhere from here. */
#ifndef COLLECTOR_PLACE_H
#define COLLECTOR_PLACE_H

#include "core/err.h"
#include "core/slice.h"

struct place_database; /* read only, for any number of threads */

/* Two schemas are read: MaxMind's (country.iso_code, subdivisions[0].iso_code, city.names.en,
 * continent.code) and the flat one (country_code, state1, city, continent_code). ERR_NOT_FOUND,
 * ERR_CORRUPT. *out is owned by the caller (place_close). */
enum err_code place_open(const char *path, struct place_database **out, struct err *err);
void place_close(struct place_database **database);

/* Each "" where the database does not say. Slices borrow from the database, but for region. */
struct place {
    struct slice continent; /* "EU" */
    struct slice country;   /* ISO 3166-1, "GB" */
    struct slice region;    /* ISO 3166-2, "GB-ENG"; else country and name, "GB-England" */
    struct slice city;      /* in English */
    char region_text[120];  /* behind region: do not copy a struct place */
};

/* Find an address as text, IPv4 or IPv6; an IPv4 address inside IPv6 (::ffff:1.2.3.4) is looked up
 * as what it is. False where it is no address or the database does not have it. */
bool place_find(const struct place_database *database, struct slice ip, struct place *out);

#endif
