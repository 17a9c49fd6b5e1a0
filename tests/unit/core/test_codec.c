/* Events through their encoding and back; what a damaged batch or payload gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/codec.h"
#include "tests/unit/guard.h"

static struct guard guard;

static struct event
empty_event(void)
{
    struct event e = {.site = 1, .time_ms = 1, .visitor = SLICE("v"), .id = SLICE("i")};

    for (int k = 0; k < TEXT_COUNT; k++)
        e.text[k] = SLICE_EMPTY;
    return e;
}

/* Every kind of field, with numbers of every width of msgpack. */
static struct event
full_event(struct event_property properties[2])
{
    struct event e = empty_event();

    e.site = UINT32_MAX;
    e.flags = EVENT_BOT | EVENT_DRIVER;
    e.origin = ORIGIN_IMPORT;
    e.time_ms = 1780315200123;
    e.id = slice_of("\0abcdefghijklmnop", EVENT_CONTENT_ID_BYTES);
    e.text[TEXT_EVENT] = SLICE("sale");
    e.text[TEXT_TITLE] = SLICE("caf\xC3\xA9 - a title that is longer than thirty-one bytes");
    e.text[TEXT_BOT_REASON] = SLICE("googlebot");
    e.text[TEXT_KNOWN] = SLICE("u1");
    event_set_number(&e, NUMBER_VALUE, -9000000000000000);
    event_set_number(&e, NUMBER_QUANTITY, 0);
    event_set_number(&e, NUMBER_SCROLL_PCT, 100);
    event_set_number(&e, NUMBER_LOAD_MS, -200);
    properties[0] = (struct event_property){SLICE("a"), SLICE("1.50")};
    properties[1] = (struct event_property){SLICE("b"), SLICE("true")};
    e.properties = properties;
    e.n_properties = 2;
    return e;
}

static void
assert_events_equal(const struct event *a, const struct event *b)
{
    assert_int_equal(a->site, b->site);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->origin, b->origin);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_true(slice_equal(a->visitor, b->visitor));
    assert_true(slice_equal(a->id, b->id));
    for (int k = 0; k < TEXT_COUNT; k++)
        assert_true(slice_equal(a->text[k], b->text[k]));
    assert_int_equal(a->numbers_set, b->numbers_set);
    for (int k = 0; k < NUMBER_COUNT; k++)
        if (event_has_number(a, (enum event_number)k))
            assert_int_equal(a->number[k], b->number[k]);
    assert_int_equal(a->n_properties, b->n_properties);
    for (uint32_t i = 0; i < a->n_properties; i++) {
        assert_true(slice_equal(a->properties[i].key, b->properties[i].key));
        assert_true(slice_equal(a->properties[i].value, b->properties[i].value));
    }
}

static void
round_trips(void **state)
{
    struct event_property properties[2];
    struct event rows[] = {empty_event(), full_event(properties)};
    struct buffer bytes = BUFFER_EMPTY;
    struct event got;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t i = 0; i < 2; i++) {
        buffer_clear(&bytes);
        assert_int_equal(codec_encode(&bytes, &rows[i], NULL), ERR_OK);
        assert_int_equal(codec_decode(guard_copy(&guard, buffer_slice(&bytes)), &a, &got, NULL),
                         ERR_OK);
        assert_events_equal(&rows[i], &got);
    }
    buffer_fini(&bytes);
    arena_fini(&a);
}

/* Integers at the edges of every width, as times. */
static void
integers_of_every_width(void **state)
{
    static const int64_t rows[] = {0,
                                   127,
                                   128,
                                   255,
                                   256,
                                   65535,
                                   65536,
                                   4294967295,
                                   4294967296,
                                   INT64_MAX,
                                   -1,
                                   -32,
                                   -33,
                                   -128,
                                   -129,
                                   -32768,
                                   -32769,
                                   INT32_MIN,
                                   (int64_t)INT32_MIN - 1,
                                   INT64_MIN};
    struct buffer bytes = BUFFER_EMPTY;
    struct event e = empty_event(), got;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        e.time_ms = rows[i];
        buffer_clear(&bytes);
        assert_int_equal(codec_encode(&bytes, &e, NULL), ERR_OK);
        assert_int_equal(codec_decode(buffer_slice(&bytes), &a, &got, NULL), ERR_OK);
        assert_int_equal(got.time_ms, rows[i]);
    }
    buffer_fini(&bytes);
    arena_fini(&a);
}

/* The bytes of version 1 are written down, so that an entry of today stays readable. */
static void
version_1_stays_as_it_was(void **state)
{
    static const char payload[] =
        "\x99\x07\xCF\x00\x00\x01\x9E\x80\xB2\x62\xBB\xA2u1\xC4\x02i1\x02\x00"
        "\x81\x00\xA4sale\x81\x00\xCD\x04\xE2\x81\xA1k\xA1v";
    struct event_property property = {SLICE("k"), SLICE("v")};
    struct event e = empty_event(), got;
    struct buffer bytes = BUFFER_EMPTY;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    e.site = 7;
    e.time_ms = 1780275634875;
    e.visitor = SLICE("u1");
    e.id = SLICE("i1");
    e.flags = EVENT_DRIVER;
    e.text[TEXT_EVENT] = SLICE("sale");
    event_set_number(&e, NUMBER_VALUE, 1250);
    e.properties = &property;
    e.n_properties = 1;
    assert_int_equal(codec_encode(&bytes, &e, NULL), ERR_OK);
    assert_int_equal(bytes.n, sizeof payload - 1);
    assert_memory_equal(bytes.p, payload, bytes.n);
    assert_int_equal(codec_decode(slice_of(payload, sizeof payload - 1), &a, &got, NULL), ERR_OK);
    assert_events_equal(&e, &got);
    buffer_fini(&bytes);
    arena_fini(&a);
}

static void
refuses_damaged_payloads(void **state)
{
    static const struct {
        const char *what;
        struct slice bytes;
    } rows[] = {
        {"nothing", SLICE("")},
        {"no array", SLICE("\x01")},
        {"an array of 4 G members", SLICE("\xDD\xFF\xFF\xFF\xFF")},
        {"a map of 4 G members",
         SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\xDF\xFF\xFF\xFF\xFF\x80\x80")},
        {"8 fields", SLICE("\x98\x01\x01\xA1v\xC4\x01i\x00\x00\x80\x80")},
        {"a byte behind", SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x80\x80\x80\x00")},
        {"an empty visitor", SLICE("\x99\x01\x01\xA0\xC4\x01i\x00\x00\x80\x80\x80")},
        {"an empty id", SLICE("\x99\x01\x01\xA1v\xC4\x00\x00\x00\x80\x80\x80")},
        {"a negative site", SLICE("\x99\xFF\x01\xA1v\xC4\x01i\x00\x00\x80\x80\x80")},
        {"a time over int64",
         SLICE("\x99\x01\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xA1v\xC4\x01i\x00\x00\x80\x80\x80")},
        {"a text longer than the rest", SLICE("\x99\x01\x01\xDB\xFF\xFF\xFF\xFFv")},
        {"a text code twice",
         SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x82\x00\xA1x\x00\xA1y\x80\x80")},
        {"a text that is a number",
         SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x81\x00\x01\x80\x80")},
        {"a number that is a text",
         SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x80\x81\x00\xA1x\x80")},
        {"properties unsorted", SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x80\x80\x82\xA1"
                                      "b\xA1x\xA1"
                                      "a\xA1y")},
        {"a property without a key",
         SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x80\x80\x81\xA0\xA1x")},
    };
    struct event got;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (codec_decode(guard_copy(&guard, rows[i].bytes), &a, &got, NULL) != ERR_CORRUPT)
            fail_msg("%s was taken", rows[i].what);
    assert_int_equal(
        codec_decode(SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x80\x80\x80"), &a, &got, NULL),
        ERR_OK); /* the rows differ from this one */
    arena_fini(&a);
}

static void
unknown_codes_are_passed_over(void **state)
{
    struct event got;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    assert_int_equal(codec_decode(SLICE("\x99\x01\x01\xA1v\xC4\x01i\x00\x00\x82\x00\xA4sale\xCD\x03"
                                        "\xE8\xA1x\x81\x7F\x05\x80"),
                                  &a, &got, NULL),
                     ERR_OK);
    assert_true(slice_is(got.text[TEXT_EVENT], "sale"));
    assert_int_equal(got.numbers_set, 0);
    arena_fini(&a);
}

/* Every beginning of a payload is corrupt and read within its bounds. */
static void
every_prefix_is_corrupt(void **state)
{
    struct event_property properties[2];
    struct event e = full_event(properties), got;
    struct buffer bytes = BUFFER_EMPTY;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    assert_int_equal(codec_encode(&bytes, &e, NULL), ERR_OK);
    for (size_t n = 0; n < bytes.n; n++)
        assert_int_equal(codec_decode(guard_copy(&guard, slice_of(bytes.p, n)), &a, &got, NULL),
                         ERR_CORRUPT);
    buffer_fini(&bytes);
    arena_fini(&a);
}

static void
an_event_has_a_largest_size(void **state)
{
    static char long_text[EVENT_ENCODED_MAX];
    struct buffer batch = BUFFER_EMPTY;
    struct event e = empty_event();
    struct err err;
    size_t before;

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    codec_batch_begin(&batch);
    assert_int_equal(codec_batch_add(&batch, &e, &err), ERR_OK);
    before = batch.n;
    e.text[TEXT_TITLE] = slice_of(long_text, sizeof long_text);
    assert_int_equal(codec_batch_add(&batch, &e, &err), ERR_LIMIT);
    assert_int_equal(batch.n, before);
    e.text[TEXT_TITLE].n -= 100;
    assert_int_equal(codec_batch_add(&batch, &e, &err), ERR_OK);
    buffer_fini(&batch);
}

/* Three records; damage is done to a copy at the guard page. */
static uint32_t
walk(struct slice bytes, uint32_t *n_bad)
{
    struct codec_reader r;
    struct slice payload;
    uint32_t n = 0;

    assert_int_equal(codec_reader_init(&r, guard_copy(&guard, bytes), NULL), ERR_OK);
    while (codec_reader_next(&r, &payload))
        n++;
    *n_bad = r.n_bad;
    return n;
}

static void
a_batch_survives_damage(void **state)
{
    struct buffer batch = BUFFER_EMPTY;
    struct event e = empty_event();
    uint32_t n_bad;
    size_t record;

    (void)state;
    codec_batch_begin(&batch);
    for (int i = 0; i < 3; i++)
        assert_int_equal(codec_batch_add(&batch, &e, NULL), ERR_OK);
    record = (batch.n - 2) / 3;
    assert_int_equal(walk(buffer_slice(&batch), &n_bad), 3);
    assert_int_equal(n_bad, 0);
    assert_int_equal(walk(slice_of(batch.p, 2), &n_bad), 0);
    assert_int_equal(n_bad, 0);
    for (size_t n = 3; n < batch.n; n++) { /* a torn tail */
        uint32_t whole = (uint32_t)((n - 2) / record);

        assert_int_equal(walk(slice_of(batch.p, n), &n_bad), whole);
        assert_int_equal(n_bad, (n - 2) % record != 0);
    }
    batch.p[2 + record + CODEC_RECORD_HEADER] ^= 1; /* one bit of the second payload */
    assert_int_equal(walk(buffer_slice(&batch), &n_bad), 2);
    assert_int_equal(n_bad, 1);
    store_u32(batch.p + 2 + record, UINT32_MAX); /* its length */
    assert_int_equal(walk(buffer_slice(&batch), &n_bad), 1);
    assert_int_equal(n_bad, 1);
    buffer_fini(&batch);
}

static void
a_newer_batch_is_left_alone(void **state)
{
    struct codec_reader r;

    (void)state;
    assert_int_equal(codec_reader_init(&r, SLICE("C\x02"), NULL), ERR_VERSION);
    assert_int_equal(codec_reader_init(&r, SLICE("C\xFF"), NULL), ERR_VERSION);
    assert_int_equal(codec_reader_init(&r, SLICE("C\x00"), NULL), ERR_CORRUPT);
    assert_int_equal(codec_reader_init(&r, SLICE("C"), NULL), ERR_CORRUPT);
    assert_int_equal(codec_reader_init(&r, SLICE("D\x01"), NULL), ERR_CORRUPT);
    assert_int_equal(codec_reader_init(&r, SLICE_EMPTY, NULL), ERR_CORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(integers_of_every_width),
        cmocka_unit_test(version_1_stays_as_it_was),
        cmocka_unit_test(refuses_damaged_payloads),
        cmocka_unit_test(unknown_codes_are_passed_over),
        cmocka_unit_test(every_prefix_is_corrupt),
        cmocka_unit_test(an_event_has_a_largest_size),
        cmocka_unit_test(a_batch_survives_damage),
        cmocka_unit_test(a_newer_batch_is_left_alone),
    };

    guard = guard_create(2 * EVENT_ENCODED_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
