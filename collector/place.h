/* Where an address is: country, region, city, continent, from a MaxMind database that may be
 * replaced while it is used. The only includer of maxminddb. The address itself goes nowhere from
 * here. */
#ifndef COLLECTOR_PLACE_H
#define COLLECTOR_PLACE_H

#include "core/arena.h"
#include "core/err.h"

#define PLACE_FILE_MAX (512u << 20) /* bytes of a database */

struct place_database; /* for any number of threads */

/* Two schemas are read: MaxMind's (country.iso_code, subdivisions[0].iso_code, city.names.en,
 * continent.code) and the flat one (country_code, state1, city, continent_code).
 *
 * The file is copied to a nameless one of our own and checked whole before it is used: whatever
 * happens to it later, and whatever is in it, cannot harm a look-up.
 * ERR_NOT_FOUND, ERR_CORRUPT, ERR_LIMIT (PLACE_FILE_MAX), ERR_CONFLICT (it is being written),
 * ERR_IO, ERR_FULL. *out is owned by the caller (place_close). */
enum err_code place_open(const char *path, struct place_database **out, struct err *err);

/* The same of a file that may still be bad: no place is found until place_refresh takes one. */
struct place_database *place_create(const char *path);

/* Ends the thread of place_watch; nobody may be in place_find. */
void place_close(struct place_database **database);

/* Take the file if it is another one than was last looked at. On an error, which is told once for
 * each file, what was there stays. Look-ups neither wait nor fail meanwhile. One caller at a time.
 */
enum err_code place_refresh(struct place_database *database, struct err *err);

/* Look at the file once a second, in a thread of its own, and take it once it has stood still. */
enum err_code place_watch(struct place_database *database, struct err *err);

/* Each "" where the database does not say; in the arena. */
struct place {
    struct slice continent; /* "EU" */
    struct slice country;   /* ISO 3166-1, "GB" */
    struct slice region;    /* ISO 3166-2, "GB-ENG"; else country and name, "GB-England" */
    struct slice city;      /* in English */
};

/* Find an address as text, IPv4 or IPv6; an IPv4 address inside IPv6 (::ffff:1.2.3.4) is looked up
 * as what it is. False where it is no address or the database does not have it. */
bool place_find(struct place_database *database, struct slice ip, struct arena *a,
                struct place *out);

/* What the database that is in use says of itself, cut where it is long. False: none is. */
struct place_about {
    char type[64];    /* "GeoLite2-City" */
    char notice[200]; /* its description in English, or the first; may be "" */
    int64_t built_ms;
};
bool place_describe(const struct place_database *database, struct place_about *out);

#endif
