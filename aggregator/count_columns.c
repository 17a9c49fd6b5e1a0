/* What an event adds to a count's sums, read row by row. */
#include "aggregator/query_count.h"

#define SALE SLICE("sale")

struct count_reader {
    bool is_open;
    struct segment_column engaged;
    struct segment_column order;
    struct segment_column event;
    uint32_t sale;     /* codes of event; 0: no event of this segment has that name */
    uint32_t value_of; /* whose value is summed up */
    struct segment_window engaged_near;
    struct segment_window order_near;
    struct segment_window event_near;
};

static enum err_code
open_reader(struct count_reader *r, const struct segment *segment, struct slice value_of,
            struct err *err)
{
    enum err_code rc = segment_number_open(segment, NUMBER_ENGAGED_MS, &r->engaged, err);

    if (rc == ERR_OK)
        rc = segment_text_open(segment, TEXT_ORDER, &r->order, err);
    if (rc == ERR_OK)
        rc = segment_text_open(segment, TEXT_EVENT, &r->event, err);
    if (rc != ERR_OK)
        return rc;
    r->sale = segment_text_find(&r->event, SALE);
    r->value_of = segment_text_find(&r->event, value_of);
    r->engaged_near = (struct segment_window){.column = &r->engaged};
    r->order_near = (struct segment_window){.column = &r->order};
    r->event_near = (struct segment_window){.column = &r->event};
    r->is_open = true;
    return ERR_OK;
}

enum err_code
count_columns_open(struct count_columns *c, struct enquiry *e, struct arena *a, struct err *err)
{
    enum err_code rc = ERR_OK;

    c->readers = ARENA_ARRAY(a, struct count_reader, e->n_inputs + 1);
    c->n = e->n_inputs;
    c->enquiry = e;
    for (size_t i = 0; i < c->n && rc == ERR_OK; i++) {
        e->bad_input = i;
        if (e->inputs[i].scan)
            rc = open_reader(&c->readers[i], e->inputs[i].segment, e->setup.request->count.value_of,
                             err);
    }
    return rc;
}

void
count_columns_read(const struct count_columns *c, const struct journey *j, uint32_t event,
                   struct count_event *out)
{
    const struct event_list *all = &c->enquiry->person.all;
    struct journey_place place = journey_place(j, all->from[event]);
    struct count_reader *r = &c->readers[place.input];
    bool has_value = all->values[event].currency >= 0;
    uint32_t order, name;
    bool is_set;

    *out = (struct count_event){.value = {0, -1}};
    if (!r->is_open)
        return;
    out->engaged_ms = segment_window_value(&r->engaged_near, place.row, &is_set);
    order = segment_window_code(&r->order_near, place.row);
    if (order == 0 && !has_value)
        return;
    name = segment_window_code(&r->event_near, place.row);
    if (order != 0 && name == r->sale)
        out->order = segment_text_value(&r->order, order);
    if (has_value && name == r->value_of)
        out->value = all->values[event];
}

void
count_sums_add_value(struct count_sums *s, const struct tally_value *value, struct arena *a)
{
    if (value->currency < 0)
        return;
    if (value->currency >= s->n_values) {
        int n = value->currency + 1;
        struct tally_sum *more = ARENA_ARRAY(a, struct tally_sum, (size_t)n);

        if (s->n_values > 0)
            memcpy(more, s->values, (size_t)s->n_values * sizeof *more);
        s->values = more;
        s->n_values = n;
    }
    tally_sum_add(&s->values[value->currency], value->units);
}
