/* backtrace.c -- who called? For the source, see backtrace.h. */
#include "backtrace.h"

#include <stdbool.h>

struct frame {
    uint64_t caller; /* address of the caller's frame */
    uint64_t return_address;
};

/* Is there room for a frame at this address of the stack? */
static bool fits(uint64_t frame, uint64_t bottom, uint64_t size)
{
    return frame % sizeof(uint64_t) == 0 && frame >= bottom &&
           size >= sizeof(struct frame) && frame - bottom <= size - sizeof(struct frame);
}

size_t backtrace(uint64_t frame, uint64_t stack_bottom, uint64_t stack_size,
                 uint64_t *addresses, size_t most)
{
    size_t count = 0;

    while (count < most && fits(frame, stack_bottom, stack_size)) {
        const struct frame *here = (const struct frame *)(uintptr_t)frame;
        if (here->return_address == 0) {
            break;
        }
        addresses[count++] = here->return_address;
        /* Upwards only: a chain that bites its own tail would never end. */
        if (here->caller <= frame) {
            break;
        }
        frame = here->caller;
    }
    return count;
}
