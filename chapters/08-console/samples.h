/* samples.h -- all that the console can show */
#pragma once

/* Print every pair of colours, every glyph, and what the control characters do. */
void print_samples(void);
