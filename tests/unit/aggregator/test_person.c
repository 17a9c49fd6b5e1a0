/* Who is one person, from links alone: the rules one by one, then any links against the same rules
 * done by hand. */
#include "aggregator/person.h"
#include "core/hash.h"
#include "tests/unit/aggregator/fixture.h"

static const struct segment_owner owner = {.hash_seed = 7};

/* ---- Cases: links as "visitor>known" (identify) and "visitor=other" (handover), by time ---- */

static struct catalog_link
link_of(struct slice word, int64_t time_ms, struct arena *a)
{
    bool is_handover = slice_find(word, '=', 0) < word.n;
    struct catalog_link link = {.site = 1,
                                .is_handover = is_handover,
                                .time_ms = time_ms,
                                .id = arena_printf(a, "e%lld", (long long)time_ms)};

    slice_cut(word, is_handover ? '=' : '>', &link.visitor, &link.known);
    return link;
}

/* Persons as "name:id,id name:id", ids and persons in the order of their bytes. */
static int
compare_slices(const void *x, const void *y)
{
    return slice_compare(*(const struct slice *)x, *(const struct slice *)y);
}

static struct slice
text_of(const struct persons *p, struct arena *a)
{
    struct slice *words = ARENA_ARRAY(a, struct slice, p->n_persons + 1);
    struct buffer text = BUFFER_EMPTY;
    struct slice out;

    for (uint32_t person = 0; person < p->n_persons; person++) {
        struct slice *ids = ARENA_ARRAY(a, struct slice, PERSON_IDS_MAX);
        size_t n = 0;

        for (size_t i = 0; i < p->n_ids; i++)
            if (p->ids[i].person == person)
                ids[n++] = p->ids[i].id;
        qsort(ids, n, sizeof *ids, compare_slices);
        words[person] = arena_printf(a, "%.*s:", SLICE_ARG(p->names[person]));
        for (size_t i = 0; i < n; i++)
            words[person] = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(words[person]), i ? "," : "",
                                         SLICE_ARG(ids[i]));
    }
    qsort(words, p->n_persons, sizeof *words, compare_slices);
    for (uint32_t person = 0; person < p->n_persons; person++) {
        buffer_add_text(&text, person ? " " : "");
        buffer_add_slice(&text, words[person]);
    }
    out = arena_copy(a, buffer_slice(&text));
    buffer_fini(&text);
    return out;
}

static void
links_make_persons(void **state)
{
    static const struct {
        const char *name;
        const char *links;
        const char *persons; /* "*" for a name: that of the id with the smallest hash */
        int n_other;
    } rows[] = {
        {"one browser", "F>K", "K:F,K", 0},
        {"twice", "F>K F>K", "K:F,K", 0},
        {"two devices", "F1>K F2>K", "K:F1,F2,K", 0},
        {"two people on one computer, with reset()", "F1>K1 F2>K2", "K1:F1,K1 K2:F2,K2", 0},
        {"and without: the first stays", "F>K1 F>K2", "K1:F,K1", 1},
        {"known ids never join", "F1>K1 F2>K2 F1>K2 F2>K1 K1>K2", "K1:F1,K1 K2:F2,K2", 3},
        {"a known id that speaks first is a browser", "K1>K2 F>K1", "K2:K1,K2", 1},
        {"a ticket", "T=F", "*:F,T", 0},
        {"a ticket, then a login", "T=F F>K", "K:F,K,T", 0},
        {"a login, then a ticket to another domain", "T>K T=F", "K:F,K,T", 0},
        {"logins on both domains", "T>K T=F F>K", "K:F,K,T", 0},
        {"another login behind a ticket", "T>K1 T=F F>K2", "K1:F,K1,T", 1},
        {"a ticket never joins two known people", "T>K1 F>K2 T=F", "K1:K1,T K2:F,K2", 1},
        {"tickets in a row", "A=B B=C C>K", "K:A,B,C,K", 0},
        {"a ring of tickets", "A=B B=C C=A", "*:A,B,C", 0},
        {"a ring of logins", "A>B B>A", "B:A,B", 1},
        {"a longer one", "A>B B>C C>A", "B:A,B", 2},
        {"nobody", "", "", 0},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 16 << 10);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct person_book *b = person_book_create(&owner);
        struct slice rest = slice_from(rows[i].links), word;
        const struct persons *p;
        struct slice got;

        for (int64_t t = 1; rest.n > 0; t++) {
            struct catalog_link link;

            slice_cut(rest, ' ', &word, &rest);
            link = link_of(word, t, &a);
            person_book_add(b, &link);
        }
        p = person_book_persons(b, INT64_MAX);
        got = text_of(p, &a);
        if (rows[i].persons[0] == '*') { /* one person; ids are in the order of their hashes */
            assert_true(slice_equal(p->names[0], p->ids[0].id));
            got = arena_printf(&a, "*%.*s", SLICE_ARG(slice_sub(got, p->names[0].n, got.n)));
        }
        if (!slice_is(got, rows[i].persons))
            fail_msg("%s: %.*s instead of %s", rows[i].name, SLICE_ARG(got), rows[i].persons);
        if ((int)p->n_other != rows[i].n_other)
            fail_msg("%s: %d links passed over", rows[i].name, (int)p->n_other);
        assert_int_equal(p->n_full, 0);
        persons_release(&p);
        person_book_release(&b);
    }
    arena_fini(&a);
}

static void
the_51st_id_is_not_joined(void **state)
{
    struct person_book *b = person_book_create(&owner);
    const struct persons *p;
    struct arena a;

    (void)state;
    arena_init(&a, 16 << 10);
    for (int i = 0; i < PERSON_IDS_MAX + 1; i++) { /* K and 51 others */
        struct catalog_link link = link_of(arena_printf(&a, "F%d>K", i), i, &a);

        person_book_add(b, &link);
    }
    p = person_book_persons(b, INT64_MAX);
    assert_int_equal(p->n_ids, PERSON_IDS_MAX);
    assert_int_equal(p->n_full, 2);
    assert_int_equal(persons_find(p, segment_visitor_hash(&owner, SLICE("F48")), SLICE("F48")), 0);
    assert_int_equal(persons_find(p, segment_visitor_hash(&owner, SLICE("F49")), SLICE("F49")),
                     PERSON_NOBODY);
    persons_release(&p);
    person_book_release(&b);
    arena_fini(&a);
}

static void
as_of_a_moment_later_links_are_not_known(void **state)
{
    struct person_book *b = person_book_create(&owner);
    struct arena a;
    const struct {
        int64_t as_of_ms;
        const char *persons;
    } rows[] = {{9, ""}, {10, "K:F,K"}, {19, "K:F,K"}, {20, "K:F,G,K"}};

    (void)state;
    arena_init(&a, 16 << 10);
    struct catalog_link late = link_of(SLICE("G>K"), 20, &a), early = link_of(SLICE("F>K"), 10, &a);
    person_book_add(b, &late);
    person_book_add(b, &early);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct persons *p = person_book_persons(b, rows[i].as_of_ms);

        assert_true(slice_is(text_of(p, &a), rows[i].persons));
        persons_release(&p);
    }
    person_book_release(&b);
    arena_fini(&a);
}

static void
persons_outlive_their_book_and_what_comes_later(void **state)
{
    struct person_book *b = person_book_create(&owner);
    const struct persons *first, *second;
    struct catalog_link link;
    struct arena a;

    (void)state;
    arena_init(&a, 16 << 10);
    link = link_of(SLICE("F>K"), 1, &a);
    person_book_add(b, &link);
    first = person_book_persons(b, INT64_MAX);
    link = link_of(SLICE("G>K"), 2, &a);
    person_book_add(b, &link);
    second = person_book_persons(b, INT64_MAX);
    person_book_release(&b);
    assert_true(slice_is(text_of(first, &a), "K:F,K"));
    assert_true(slice_is(text_of(second, &a), "K:F,G,K"));
    persons_release(&second);
    persons_release(&first);
    arena_fini(&a);
}

/* ---- Any links: the same rules by relabelling, one link after the other ---- */

#define IDS   30
#define LINKS 60

struct plain_link {
    int64_t time_ms;
    int visitor;
    int known;
    bool is_handover;
};

/* group[i]: the smallest number of i's group; known[g]: its known id or -1. */
static void
join_by_hand(const struct plain_link *links, size_t n, int group[IDS])
{
    int known[IDS];

    for (int i = 0; i < IDS; i++) {
        group[i] = i;
        known[i] = -1;
    }
    for (size_t i = 0; i < n; i++) {
        int a = group[links[i].visitor], b = group[links[i].known];
        int to = a < b ? a : b, from = a < b ? b : a;
        int names[3] = {known[a], known[b], links[i].is_handover ? -1 : links[i].known};
        int name = -1;
        bool fits = true;

        for (int k = 0; k < 3; k++) {
            fits = fits && (name < 0 || names[k] < 0 || names[k] == name);
            name = names[k] >= 0 ? names[k] : name;
        }
        if (!fits)
            continue;
        for (int k = 0; k < IDS; k++)
            group[k] = group[k] == from ? to : group[k];
        known[to] = name;
    }
}

static void
add_plain(struct person_book *b, const struct plain_link *l, struct arena *a)
{
    struct catalog_link link = {.site = 1,
                                .is_handover = l->is_handover,
                                .visitor = arena_printf(a, "v%d", l->visitor),
                                .known = arena_printf(a, "v%d", l->known),
                                .time_ms = l->time_ms,
                                .id = SLICE("x")};

    person_book_add(b, &link);
}

static void
assert_groups(const struct persons *p, const int group[IDS], struct arena *a)
{
    uint32_t person[IDS];

    for (int i = 0; i < IDS; i++) {
        struct slice id = arena_printf(a, "v%d", i);

        person[i] = persons_find(p, segment_visitor_hash(&owner, id), id);
    }
    for (int i = 0; i < IDS; i++)
        for (int k = 0; k < i; k++) {
            bool is_one = person[i] == person[k] && person[i] != PERSON_NOBODY;

            if (is_one != (group[i] == group[k]))
                fail_msg("v%d and v%d", i, k);
        }
}

static void
any_links_in_any_order_give_the_same_persons(void **state)
{
    uint64_t r = 1;
    struct arena a;

    (void)state;
    arena_init(&a, 64 << 10);
    for (int round = 0; round < 300; round++) {
        struct plain_link links[LINKS];
        int order[LINKS], group[IDS];

        arena_reset(&a);
        for (int i = 0; i < LINKS; i++) {
            uint64_t z = hash64(slice_of((char *)&r, sizeof r), 0);

            r++;
            links[i] =
                (struct plain_link){i, (int)(z % IDS), (int)((z >> 16) % IDS), (z >> 32) % 3 == 0};
            if (links[i].visitor == links[i].known)
                links[i].known = (links[i].known + 1) % IDS;
            order[i] = i;
        }
        join_by_hand(links, LINKS, group);
        for (int again = 0; again < 3; again++) {
            struct person_book *b = person_book_create(&owner);
            const struct persons *p = NULL;

            for (int i = LINKS; again > 0 && i > 1; i--) { /* another order of arrival */
                uint64_t z = hash64(slice_of((char *)&r, sizeof r), 0);
                int k = (int)(z % (uint64_t)i), o = order[k];

                r++;
                order[k] = order[i - 1];
                order[i - 1] = o;
            }
            for (int i = 0; i < LINKS; i++) {
                add_plain(b, &links[order[i]], &a);
                if (i % 7 == 0) { /* asked for in between, which must not matter later */
                    p = person_book_persons(b, INT64_MAX);
                    persons_release(&p);
                }
            }
            p = person_book_persons(b, INT64_MAX);
            assert_groups(p, group, &a);
            persons_release(&p);
            person_book_release(&b);
        }
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_make_persons),
        cmocka_unit_test(the_51st_id_is_not_joined),
        cmocka_unit_test(as_of_a_moment_later_links_are_not_known),
        cmocka_unit_test(persons_outlive_their_book_and_what_comes_later),
        cmocka_unit_test(any_links_in_any_order_give_the_same_persons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
