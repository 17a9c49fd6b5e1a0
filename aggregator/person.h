/* Which ids are one person: from links, each of which says that two ids are, to groups.
 *
 * What is not here: where links are stored (catalog.h), what is joined (journey.h). The rules are
 * in docs/identity.md:
 *
 * - An identify link joins a browser's id to an id that the site knows a person by. A handover link
 *   joins two ids of browsers.
 * - A group has at most one known id, so known ids never join each other, and a browser's id has at
 *   most one person; it has at most PERSON_IDS_MAX ids.
 * - Links are taken in the order of their events, (time, event id), not of their arrival; a link
 *   that breaks a rule then is passed over and counted. So the same links give the same groups.
 *
 * A book and what is made of it are created, filled and released by one thread at a time (the pool
 * of snapshots holds its lock meanwhile); persons, once made, never change and may be read by any.
 */
#ifndef AGGREGATOR_PERSON_H
#define AGGREGATOR_PERSON_H

#include "aggregator/catalog.h"

#define PERSON_IDS_MAX 50
#define PERSON_NOBODY  UINT32_MAX

/* One id that is joined to another. */
struct person_id {
    uint64_t hash; /* segment_visitor_hash */
    struct slice id;
    uint32_t person; /* from 0 */
};

struct persons {
    size_t n_ids;
    const struct person_id *ids; /* by (hash, bytes of the id) */
    uint32_t n_persons;
    const struct slice *names; /* by person: the known id, else the id with the smallest hash */
    uint64_t n_other; /* links passed over: the browser's or the known id has another person */
    uint64_t n_full;  /* and because the group has PERSON_IDS_MAX ids */
};

/* The index of the first id whose hash is at least `hash`; n_ids where there is none. */
size_t persons_first_from(const struct persons *p, uint64_t hash);

/* The person of an id, given its hash; PERSON_NOBODY where it is joined to no other. */
uint32_t persons_find(const struct persons *p, uint64_t hash, struct slice id);

/* All links of one site. */
struct person_book;
struct person_book *person_book_create(const struct segment_owner *owner);
void person_book_release(struct person_book **b); /* persons made of it may live on */

/* Copies. The same link with another time or event id counts by the earlier one. */
void person_book_add(struct person_book *b, const struct catalog_link *link);

/* Who is one person by the links up to as_of_ms. Kept by the book while nothing is added. Owned by
 * the caller: persons_release, before or after the book's. */
const struct persons *person_book_persons(struct person_book *b, int64_t as_of_ms);
void persons_release(const struct persons **p);

#endif
