#include "core/event_json.h"

#include "core/decimal.h"
#include "core/timestamp.h"

static void
add_name(struct buffer *out, struct slice name)
{
    buffer_add_char(out, ',');
    buffer_add_json(out, name);
    buffer_add_char(out, ':');
}

static void
add_text(struct buffer *out, struct slice name, struct slice value)
{
    if (value.n == 0)
        return;
    add_name(out, name);
    buffer_add_json(out, value);
}

static void
add_attribute(struct buffer *out, const struct event *e, const struct attribute *a)
{
    enum event_number k = (enum event_number)a->code;

    if (a->code == TEXT_CURRENCY && a->source == SOURCE_TEXT && (e->flags & EVENT_SITE_CURRENCY))
        return;
    if (a->source == SOURCE_TEXT && a->code != TEXT_EVENT) {
        add_text(out, a->name, e->text[a->code]);
    } else if (a->source == SOURCE_NUMBER && event_has_number(e, k)) {
        add_name(out, a->name);
        decimal_add(out, e->number[k], event_number_digits(k, e->text[TEXT_CURRENCY]));
    } else if (a->source == SOURCE_DERIVED && a->code == DERIVED_BOT && (e->flags & EVENT_BOT)) {
        add_name(out, a->name);
        buffer_add_text(out, "true");
    }
}

void
event_add_json(struct buffer *out, const struct event *e)
{
    char when[TIMESTAMP_TEXT_MAX];
    size_t n;
    const struct attribute *table = attribute_table(&n);

    buffer_add_text(out, "{\"visitor\":");
    buffer_add_json(out, e->visitor);
    buffer_printf(out, ",\"time\":\"%s\"", timestamp_format(e->time_ms, false, when));
    add_text(out, SLICE("event"), e->text[TEXT_EVENT]);
    if (event_id_is_given(e->id))
        add_text(out, SLICE("id"), e->id);
    add_text(out, SLICE("known"), e->text[TEXT_KNOWN]);
    if (e->flags & EVENT_COOKIELESS)
        buffer_add_text(out, ",\"cookieless\":true");
    for (size_t i = 0; i < n; i++)
        add_attribute(out, e, &table[i]);
    if (e->n_properties > 0)
        buffer_add_text(out, ",\"properties\":{");
    for (uint32_t i = 0; i < e->n_properties; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        buffer_add_json(out, e->properties[i].key);
        buffer_add_char(out, ':');
        buffer_add_json(out, e->properties[i].value);
    }
    buffer_add_text(out, e->n_properties > 0 ? "}}" : "}");
}
