/* serial.h -- COM1, the first serial port, for output only */
#pragma once

/*
 * Set COM1 to 115200 baud, 8 data bits, no parity, 1 stop bit, no interrupts.
 * Does no harm where there is no such port.
 */
void serial_init(void);

/*
 * Send one byte; waits for the port, but not for ever: a port that never gets ready
 * may lose the byte.
 */
void serial_put(char c);

/* Send a string; each '\n' goes out as "\r\n", which terminals expect. */
void serial_write(const char *text);
