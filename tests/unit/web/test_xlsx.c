/* Sheets: further ones where one is full, and no file that outlives its descriptor. What is in the
 * cells is read back in tests/e2e/cli/excel.test.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/file.h"
#include "tests/unit/web/folder.h"
#include "web/api/xlsx.h"

/* Two columns, n lines below the headings. */
static void
make(uint32_t rows_max, int n, struct buffer *out)
{
    struct xlsx_config config = {.name = "visitors", .rows_max = rows_max};
    struct xlsx *x = NULL;
    uint64_t n_bytes = 0;
    int fd = -1;

    assert_int_equal(xlsx_open(&config, &x, NULL), ERR_OK);
    xlsx_text(x, SLICE("visitor"));
    xlsx_text(x, SLICE("n"));
    xlsx_end_line(x);
    for (int i = 0; i < n; i++) {
        xlsx_text(x, SLICE("=1+1"));
        xlsx_integer(x, i);
        xlsx_end_line(x);
    }
    assert_int_equal(xlsx_finish(&x, &fd, &n_bytes, NULL), ERR_OK);
    assert_null(x);
    buffer_reserve(out, n_bytes);
    assert_int_equal(read(fd, out->p, n_bytes), n_bytes);
    out->n = n_bytes;
    close(fd);
}

static bool
has_sheet(const struct buffer *file, int number)
{
    char name[64];

    snprintf(name, sizeof name, "xl/worksheets/sheet%d.xml", number);
    return slice_contains(buffer_slice(file), slice_from(name));
}

static void
test_a_full_sheet_is_followed_by_another(void **state)
{
    static const struct {
        int n_lines, n_sheets;
    } rows[] = {{0, 1}, {1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer file = BUFFER_EMPTY;

        make(2, rows[i].n_lines, &file);
        assert_true(slice_starts_with(buffer_slice(&file), SLICE("PK\3\4")));
        assert_true(has_sheet(&file, rows[i].n_sheets));
        assert_false(has_sheet(&file, rows[i].n_sheets + 1));
        buffer_fini(&file);
    }
}

/* Nothing is in the folder while a file is made, and nothing after, also of one that is given up.
 */
static void
test_files_have_no_names(void **state)
{
    struct xlsx_config config = {.name = "stages"};
    char dir[FOLDER_MAX];
    struct xlsx *x = NULL;

    (void)state;
    folder_make(dir);
    setenv("TMPDIR", dir, 1);
    assert_int_equal(xlsx_open(&config, &x, NULL), ERR_OK);
    xlsx_text(x, SLICE("heading"));
    xlsx_end_line(x);
    assert_int_equal(rmdir(dir), 0); /* it is empty */
    xlsx_close(&x);
    assert_null(x);
    unsetenv("TMPDIR");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_sheet_is_followed_by_another),
        cmocka_unit_test(test_files_have_no_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
