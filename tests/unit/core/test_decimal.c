#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/decimal.h"

static void
decimals_become_exact_units(void **state)
{
    static const struct {
        const char *text;
        int digits;
        enum err_code rc;
        int64_t units;
    } rows[] = {
        {"12.5", 2, ERR_OK, 1250},
        {"12.50", 2, ERR_OK, 1250},
        {"12.500", 2, ERR_OK, 1250},
        {"-0.01", 2, ERR_OK, -1},
        {"0", 2, ERR_OK, 0},
        {"-0.0", 2, ERR_OK, 0},
        {"1e3", 2, ERR_OK, 100000},
        {"125e-2", 2, ERR_OK, 125},
        {"0.1", 0, ERR_INVALID, 0},
        {"12.505", 2, ERR_INVALID, 0},
        {"59.970000000000006", 2, ERR_OK, 5997}, /* 19.99 * 3 in a browser */
        {"0.30000000000000004", 2, ERR_OK, 30},
        {"0.29999999999999999", 2, ERR_OK, 30},
        {"0.999999999999", 2, ERR_OK, 100},
        {"1200", 0, ERR_OK, 1200},
        {"1.234", 3, ERR_OK, 1234},
        {"9000000000000000", 0, ERR_OK, INT64_C(9000000000000000)},
        {"9000000000000001", 0, ERR_INVALID, 0},
        {"1e400", 2, ERR_INVALID, 0},
        {"1e-400", 2, ERR_OK, 0},
        {"", 2, ERR_INVALID, 0},
        {"-", 2, ERR_INVALID, 0},
        {"01", 2, ERR_INVALID, 0},
        {"1.", 2, ERR_INVALID, 0},
        {".5", 2, ERR_INVALID, 0},
        {"1e", 2, ERR_INVALID, 0},
        {"1,5", 2, ERR_INVALID, 0},
        {"NaN", 2, ERR_INVALID, 0},
        {" 1", 2, ERR_INVALID, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t units = -7;
        enum err_code rc = decimal_parse(slice_from(rows[i].text), rows[i].digits, &units, NULL);

        if (rc != rows[i].rc)
            fail_msg("%s: %s", rows[i].text, err_code_name(rc));
        if (rc == ERR_OK && units != rows[i].units)
            fail_msg("%s: %lld", rows[i].text, (long long)units);
        if (rc != ERR_OK)
            assert_true(units == -7);
    }
}

static void
units_become_text(void **state)
{
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    decimal_add(&b, 1250, 2);
    buffer_add_char(&b, ' ');
    decimal_add(&b, -5, 2);
    buffer_add_char(&b, ' ');
    decimal_add(&b, 1200, 0);
    buffer_add_char(&b, ' ');
    decimal_add(&b, INT64_MIN, 3);
    assert_true(slice_is(buffer_slice(&b), "12.50 -0.05 1200 -9223372036854775.808"));
    buffer_fini(&b);
}

static void
numbers_compare_by_value(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        int order;
    } rows[] = {
        {"1", "1.0", 0},     {"1e2", "100", 0},
        {"-0", "0", 0},      {"0.1", "0.10", 0},
        {"2", "10", -1},     {"-2", "-10", 1},
        {"-1", "1", -1},     {"9007199254740993", "9007199254740992", 1}, /* equal as doubles */
        {"0.05", "0.5", -1}, {"0", "0.0001", -1},
        {"0", "-0.0001", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(decimal_compare(slice_from(rows[i].a), slice_from(rows[i].b)),
                         rows[i].order);
        assert_int_equal(decimal_compare(slice_from(rows[i].b), slice_from(rows[i].a)),
                         -rows[i].order);
    }
}

static void
canonical_spelling(void **state)
{
    static const char *const rows[][2] = {
        {"1.50", "1.5"}, {"1e3", "1000"},  {"-0", "0"},       {"0.0010", "0.001"},
        {"12", "12"},    {"120e-1", "12"}, {"5e-3", "0.005"}, {"-7.0", "-7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer b = BUFFER_EMPTY;

        assert_true(decimal_canonical(slice_from(rows[i][0]), &b));
        if (!slice_is(buffer_slice(&b), rows[i][1]))
            fail_msg("%s: %.*s", rows[i][0], SLICE_ARG(buffer_slice(&b)));
        buffer_fini(&b);
    }
}

static void
currencies_have_their_digits(void **state)
{
    char out[3];

    (void)state;
    assert_int_equal(currency_digits(SLICE("USD")), 2);
    assert_int_equal(currency_digits(SLICE("JPY")), 0);
    assert_int_equal(currency_digits(SLICE("KWD")), 3);
    assert_int_equal(currency_digits(SLICE("CLF")), 4);
    assert_int_equal(currency_digits(SLICE("IDR")), 2);
    assert_int_equal(currency_digits(SLICE_EMPTY), 2);
    assert_true(currency_normalize(SLICE("usd"), out));
    assert_memory_equal(out, "USD", 3);
    assert_false(currency_normalize(SLICE("US"), out));
    assert_false(currency_normalize(SLICE("U$D"), out));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_become_exact_units),  cmocka_unit_test(units_become_text),
        cmocka_unit_test(numbers_compare_by_value),     cmocka_unit_test(canonical_spelling),
        cmocka_unit_test(currencies_have_their_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
