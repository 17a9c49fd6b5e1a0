/* Time: int64 ms since the epoch (UTC) for events, a steady clock for waiting. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_steady_ms(void);
int64_t clock_steady_us(void);
void clock_sleep_ms(int64_t ms);

/* Tests only: freeze the wall clock at ms; a negative value gives the system's back. */
void clock_set_wall_ms(int64_t ms);

#endif
