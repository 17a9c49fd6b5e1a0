/* People over a long time (BENCH_SHOP_PEOPLE): who is seen again months later, who has two devices.
 */
#include "bench/shop_page.h"

/* Of all visitors; those who come too late in the range to be seen again are left out of it. */
#define SEEN_AGAIN_LATER 5400 /* per 10,000 */
#define ON_TWO_DEVICES   590

struct shop_person {
    bool comes_later; /* over 90 days after the first time */
    bool has_two_devices;
    int64_t later_ms; /* after the first time */
};

static struct shop_person
person_of(const struct shop_session *s)
{
    struct dice d = dice_of(s->run->config->seed + 3, s->plan->visitor);
    struct shop_person p = {false, false, 0};

    if (s->run->config->profile != BENCH_SHOP_PEOPLE)
        return p;
    p.comes_later = dice_chance(&d, SEEN_AGAIN_LATER);
    p.has_two_devices = dice_chance(&d, ON_TWO_DEVICES);
    p.later_ms = p.comes_later ? 91 * DAY_MS + dice_below(&d, 60) * DAY_MS
                               : DAY_MS + dice_delay_ms(&d, 3 * DAY_MS);
    return p;
}

bool
people__is_on_second_device(const struct shop_session *s)
{
    return s->plan->session % 2 == 1 && person_of(s).has_two_devices;
}

void
people__sign_in(struct shop_session *s)
{
    char *known = s->text + s->n_text;

    if (!person_of(s).has_two_devices)
        return;
    s->n_text += page__put_decimal(known, s->plan->visitor, 1);
    s->now += 1;
    s->e.text[TEXT_KNOWN] = page__text_join(
        s, SLICE("customer-"), slice_of(known, (size_t)(s->text + s->n_text - known)), SLICE_EMPTY);
    page__emit(s, EVENT_IDENTIFY);
}

void
people__plan_later(struct shop_session *s)
{
    struct shop_person p = person_of(s);

    if (p.comes_later || p.has_two_devices)
        shop__plan_add(s->run->shop, (struct shop_plan){
                                         .time_ms = s->plan->time_ms + p.later_ms,
                                         .visitor = s->plan->visitor,
                                         .session = (uint8_t)(SHOP_LATER + p.has_two_devices),
                                         .kind = VISIT_BACK,
                                     });
}
