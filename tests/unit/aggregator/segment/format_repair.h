/* Make the checksums of a changed file right again, so that a test (or the fuzzer) reaches what
 * lies behind them. Follows aggregator/segment/format.h on its own, without the reader's code. */
#ifndef TESTS_SEGMENT_FORMAT_REPAIR_H
#define TESTS_SEGMENT_FORMAT_REPAIR_H

#include "aggregator/segment/format.h"
#include "core/bytes.h"
#include "core/hash.h"

static inline void
format_repair_cold(unsigned char *p, uint64_t n, unsigned char *entry)
{
    uint64_t n_parts = load_u64(entry + ENTRY_BASE);
    uint64_t offset = load_u64(entry + ENTRY_OFFSET);
    uint64_t length = load_u64(entry + ENTRY_LENGTH);
    unsigned char *list;

    if (offset > n || length > n - offset || n_parts > length / FORMAT_PART)
        return;
    list = p + offset + length - n_parts * FORMAT_PART;
    for (uint64_t i = 0; i < n_parts; i++) {
        unsigned char *part = list + i * FORMAT_PART;
        uint64_t at = load_u64(part + PART_OFFSET);
        uint32_t part_length = load_u32(part + PART_LENGTH);

        if (at <= length && part_length <= length - at)
            store_u64(part + PART_SUM, checksum64(p + offset + at, part_length));
    }
    store_u64(entry + ENTRY_SUM, checksum64(list, n_parts * FORMAT_PART));
}

static inline void
format_repair_entry(unsigned char *p, uint64_t n, unsigned char *entry)
{
    uint64_t offset = load_u64(entry + ENTRY_OFFSET);
    uint64_t length = load_u64(entry + ENTRY_LENGTH);
    uint64_t n_pages = length <= FORMAT_PAGE ? 0 : (length - 1) / FORMAT_PAGE + 1;
    unsigned char *sums;

    if (offset > n || length > n - offset)
        return;
    if (n_pages == 0) {
        store_u64(entry + ENTRY_SUM, checksum64(p + offset, length));
        return;
    }
    if ((length + 7) / 8 * 8 + n_pages * 8 > n - offset)
        return;
    sums = p + offset + (length + 7) / 8 * 8;
    for (uint64_t i = 0; i < n_pages; i++) {
        uint64_t at = i * FORMAT_PAGE;

        store_u64(sums + i * 8, checksum64(p + offset + at,
                                           length - at < FORMAT_PAGE ? length - at : FORMAT_PAGE));
    }
    store_u64(entry + ENTRY_SUM, checksum64(sums, n_pages * 8));
}

static inline void
format_repair(unsigned char *p, uint64_t n)
{
    uint64_t directory;
    uint64_t n_entries;
    unsigned char *footer = p + n - FORMAT_FOOTER;

    if (n < FORMAT_HEADER + FORMAT_FOOTER)
        return;
    memcpy(p + HEADER_MAGIC, FORMAT_MAGIC, 8);
    directory = load_u64(p + HEADER_DIRECTORY);
    n_entries = load_u32(p + HEADER_ENTRIES);
    if (directory < n && n_entries <= (n - directory) / FORMAT_ENTRY) {
        for (uint64_t i = 0; i < n_entries; i++) {
            unsigned char *entry = p + directory + i * FORMAT_ENTRY;

            if (entry[ENTRY_ENCODING] == ENCODING_COLD)
                format_repair_cold(p, n, entry);
            else
                format_repair_entry(p, n, entry);
        }
        store_u64(p + HEADER_DIRECTORY_SUM, checksum64(p + directory, n_entries * FORMAT_ENTRY));
    }
    store_u64(p + HEADER_LENGTH, n);
    store_u64(p + HEADER_SUM, checksum64(p, HEADER_SUM));
    memcpy(footer + FOOTER_MAGIC, FORMAT_MAGIC_FOOTER, 8);
    store_u64(footer + FOOTER_LENGTH, n);
    store_u64(footer + FOOTER_HEADER_SUM, load_u64(p + HEADER_SUM));
    store_u64(footer + FOOTER_SUM, checksum64(footer, FOOTER_SUM));
}

#endif
