/* Groups by union-find over links in the order of their events. */
#include "aggregator/person.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

#define NO_ID UINT32_MAX

struct id {
    uint64_t hash;
    struct slice text; /* in the book's arena */
};

struct link {
    int64_t time_ms;
    struct slice event_id; /* in the book's arena */
    uint32_t visitor;      /* ids by number */
    uint32_t known;
    bool is_handover;
};

/* Persons as made, with what keeps them: they borrow the ids' texts from the book. */
struct made {
    struct persons persons; /* first: the caller's pointer is to it */
    struct person_book *book;
    unsigned n_users;
};

struct person_book {
    struct segment_owner owner;
    unsigned n_users; /* the creator and everything made */
    struct arena arena;
    struct id *ids;
    uint32_t n_ids;
    uint32_t ids_max;
    uint32_t *table; /* open addressing: number + 1 of an id, 0 = free; twice ids_max long */
    uint32_t *order; /* ids by (hash, bytes): the first n_ordered */
    uint32_t n_ordered;
    struct link *links; /* the first n_sorted are in order */
    size_t n_links;
    size_t n_sorted;
    size_t links_max;
    struct made *latest; /* by all links; NULL: something was added since */
};

/* ---- Ids ---- */

static uint32_t *
find_slot(const struct person_book *b, uint64_t hash, struct slice text)
{
    uint32_t mask = 2 * b->ids_max - 1;
    uint32_t at = (uint32_t)hash & mask;

    while (b->table[at] != 0 && (b->ids[b->table[at] - 1].hash != hash ||
                                 !slice_equal(b->ids[b->table[at] - 1].text, text)))
        at = (at + 1) & mask;
    return &b->table[at];
}

static void
grow_ids(struct person_book *b)
{
    b->ids_max = b->ids_max == 0 ? 64 : 2 * b->ids_max;
    b->ids = mem_realloc(b->ids, b->ids_max * sizeof *b->ids);
    b->order = mem_realloc(b->order, b->ids_max * sizeof *b->order);
    free(b->table);
    b->table = mem_zalloc(2 * (size_t)b->ids_max * sizeof *b->table);
    for (uint32_t i = 0; i < b->n_ids; i++)
        *find_slot(b, b->ids[i].hash, b->ids[i].text) = i + 1;
}

static uint32_t
number_of(struct person_book *b, struct slice text)
{
    uint64_t hash = segment_visitor_hash(&b->owner, text);
    uint32_t *slot;

    if (b->n_ids == b->ids_max)
        grow_ids(b);
    slot = find_slot(b, hash, text);
    if (*slot == 0) {
        b->ids[b->n_ids] = (struct id){hash, arena_copy(&b->arena, text)};
        *slot = ++b->n_ids;
    }
    return *slot - 1;
}

/* ---- Sorting: what came since is sorted and merged into what was ---- */

static int
compare_links(const void *x, const void *y, void *context)
{
    const struct id *ids = context;
    const struct link *a = x;
    const struct link *b = y;
    int order;

    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    order = slice_compare(a->event_id, b->event_id);
    if (order == 0)
        order = slice_compare(ids[a->visitor].text, ids[b->visitor].text);
    if (order == 0)
        order = slice_compare(ids[a->known].text, ids[b->known].text);
    return order != 0 ? order : (int)a->is_handover - (int)b->is_handover;
}

static int
compare_ids(const void *x, const void *y, void *context)
{
    const struct id *ids = context;
    const struct id *a = &ids[*(const uint32_t *)x];
    const struct id *b = &ids[*(const uint32_t *)y];

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return slice_compare(a->text, b->text);
}

typedef int (*comparison)(const void *x, const void *y, void *context);

/* list: n elements of `size` bytes, the first n_sorted in order. */
static void
sort_tail(void *list, size_t n, size_t n_sorted, size_t size, comparison compare, void *context)
{
    size_t n_tail = n - n_sorted;
    char *base = list, *tail;
    size_t to = n;

    if (n_tail == 0)
        return;
    qsort_r(base + n_sorted * size, n_tail, size, compare, context);
    tail = mem_alloc(n_tail * size);
    memcpy(tail, base + n_sorted * size, n_tail * size);
    while (n_tail > 0) { /* from the end, so that nothing is overwritten before it has moved */
        bool is_old = n_sorted > 0 && compare(base + (n_sorted - 1) * size,
                                              tail + (n_tail - 1) * size, context) > 0;
        const char *from = is_old ? base + --n_sorted * size : tail + --n_tail * size;

        memcpy(base + --to * size, from, size);
    }
    free(tail);
}

static void
sort_book(struct person_book *b)
{
    sort_tail(b->links, b->n_links, b->n_sorted, sizeof *b->links, compare_links, b->ids);
    b->n_sorted = b->n_links;
    for (uint32_t i = b->n_ordered; i < b->n_ids; i++)
        b->order[i] = i;
    sort_tail(b->order, b->n_ids, b->n_ordered, sizeof *b->order, compare_ids, b->ids);
    b->n_ordered = b->n_ids;
}

/* ---- Joining ---- */

struct forest {
    uint32_t *parent;
    uint32_t *n;     /* of a root: ids below it, itself included */
    uint32_t *known; /* of a root: the group's known id, or NO_ID */
    uint64_t n_other;
    uint64_t n_full;
};

static uint32_t
root_of(struct forest *f, uint32_t id)
{
    while (f->parent[id] != id) {
        f->parent[id] = f->parent[f->parent[id]];
        id = f->parent[id];
    }
    return id;
}

/* What the group of both would know its person by; false where that would be two. */
static bool
agree(const struct forest *f, const struct link *link, uint32_t a, uint32_t b, uint32_t *out)
{
    uint32_t known = link->is_handover ? NO_ID : link->known;
    uint32_t of[2] = {f->known[a], f->known[b]};

    for (int i = 0; i < 2; i++) {
        if (of[i] != NO_ID && known != NO_ID && of[i] != known)
            return false;
        if (of[i] != NO_ID)
            known = of[i];
    }
    *out = known;
    return true;
}

static void
take_link(struct forest *f, const struct link *link)
{
    uint32_t a = root_of(f, link->visitor);
    uint32_t b = root_of(f, link->known);
    uint32_t known = NO_ID;

    if (!agree(f, link, a, b, &known)) {
        f->n_other++;
        return;
    }
    if (a != b && f->n[a] + f->n[b] > PERSON_IDS_MAX) {
        f->n_full++;
        return;
    }
    if (a != b) {
        f->n[a] += f->n[b];
        f->parent[b] = a;
    }
    f->known[a] = known;
}

static void
forest_init(struct forest *f, uint32_t n)
{
    *f = (struct forest){
        .parent = mem_alloc((n + (size_t)1) * sizeof *f->parent),
        .n = mem_alloc((n + (size_t)1) * sizeof *f->n),
        .known = mem_alloc((n + (size_t)1) * sizeof *f->known),
    };
    for (uint32_t i = 0; i < n; i++) {
        f->parent[i] = i;
        f->n[i] = 1;
        f->known[i] = NO_ID;
    }
}

static void
forest_fini(struct forest *f)
{
    free(f->parent);
    free(f->n);
    free(f->known);
}

/* ---- Persons ---- */

/* Joined ids in the order of their hashes; so the first id of each person is its smallest. */
static struct made *
make(struct person_book *b, struct forest *f)
{
    struct person_id *ids = mem_alloc((b->n_ids + (size_t)1) * sizeof *ids);
    struct slice *names = mem_alloc((b->n_ids / 2 + (size_t)1) * sizeof *names);
    uint32_t *person = mem_alloc((b->n_ids + (size_t)1) * sizeof *person); /* of a root */
    struct made *made = mem_zalloc(sizeof *made);
    uint32_t n_persons = 0;
    size_t n = 0;

    memset(person, 0xff, (b->n_ids + (size_t)1) * sizeof *person);
    for (uint32_t i = 0; i < b->n_ids; i++) {
        const struct id *id = &b->ids[b->order[i]];
        uint32_t root = root_of(f, b->order[i]);

        if (f->n[root] == 1)
            continue;
        if (person[root] == PERSON_NOBODY) {
            names[n_persons] = f->known[root] != NO_ID ? b->ids[f->known[root]].text : id->text;
            person[root] = n_persons++;
        }
        ids[n++] = (struct person_id){id->hash, id->text, person[root]};
    }
    free(person);
    made->persons = (struct persons){n, ids, n_persons, names, f->n_other, f->n_full};
    made->book = b;
    made->n_users = 1;
    b->n_users++;
    return made;
}

static struct made *
work_out(struct person_book *b, int64_t as_of_ms)
{
    struct forest f;
    struct made *made;

    forest_init(&f, b->n_ids);
    for (size_t i = 0; i < b->n_links && b->links[i].time_ms <= as_of_ms; i++)
        take_link(&f, &b->links[i]);
    made = make(b, &f);
    forest_fini(&f);
    return made;
}

/* ---- Books ---- */

struct person_book *
person_book_create(const struct segment_owner *owner)
{
    struct person_book *b = mem_zalloc(sizeof *b);

    b->owner = *owner;
    b->n_users = 1;
    arena_init(&b->arena, 16 << 10);
    return b;
}

static void
book_let_go(struct person_book *b)
{
    if (--b->n_users > 0)
        return;
    arena_fini(&b->arena);
    free(b->ids);
    free(b->table);
    free(b->order);
    free(b->links);
    free(b);
}

static void
made_let_go(struct made *m)
{
    if (!m || --m->n_users > 0)
        return;
    free((void *)(uintptr_t)m->persons.ids);
    free((void *)(uintptr_t)m->persons.names);
    book_let_go(m->book);
    free(m);
}

void
person_book_release(struct person_book **b)
{
    struct person_book *book = *b;

    *b = NULL;
    if (!book)
        return;
    made_let_go(book->latest);
    book->latest = NULL;
    book_let_go(book);
}

void
person_book_add(struct person_book *b, const struct catalog_link *link)
{
    if (b->n_links == b->links_max) {
        b->links_max = 2 * b->links_max + 64;
        b->links = mem_realloc(b->links, b->links_max * sizeof *b->links);
    }
    b->links[b->n_links++] = (struct link){
        .time_ms = link->time_ms,
        .event_id = arena_copy(&b->arena, link->id),
        .visitor = number_of(b, link->visitor),
        .known = number_of(b, link->known),
        .is_handover = link->is_handover,
    };
    made_let_go(b->latest);
    b->latest = NULL;
}

const struct persons *
person_book_persons(struct person_book *b, int64_t as_of_ms)
{
    sort_book(b);
    if (b->n_links > 0 && b->links[b->n_links - 1].time_ms > as_of_ms)
        return &work_out(b, as_of_ms)->persons;
    if (!b->latest)
        b->latest = work_out(b, as_of_ms);
    b->latest->n_users++;
    return &b->latest->persons;
}

void
persons_release(const struct persons **p)
{
    struct made *m = (struct made *)(uintptr_t)*p;

    *p = NULL;
    made_let_go(m);
}

size_t
persons_first_from(const struct persons *p, uint64_t hash)
{
    return hash_lower_bound(p->ids, p->n_ids, sizeof *p->ids, hash);
}

uint32_t
persons_find(const struct persons *p, uint64_t hash, struct slice id)
{
    size_t low = persons_first_from(p, hash);

    for (; low < p->n_ids && p->ids[low].hash == hash; low++)
        if (slice_equal(p->ids[low].id, id))
            return p->ids[low].person;
    return PERSON_NOBODY;
}
