/* serial.c -- a UART 16550. Source: PC16550D data sheet, "Registers". */
#include "serial.h"

#include <stdint.h>

#include "io.h"

#define COM1 0x3f8
#define UART_THR (COM1 + 0) /* transmit holding register */
#define UART_DLL (COM1 + 0) /* divisor latch, low and high: while LCR_DLAB is set */
#define UART_DLM (COM1 + 1)
#define UART_IER (COM1 + 1) /* interrupt enable */
#define UART_FCR (COM1 + 2) /* FIFO control */
#define UART_LCR (COM1 + 3) /* line control */
#define UART_MCR (COM1 + 4) /* modem control */
#define UART_LSR (COM1 + 5) /* line status */

#define LCR_8N1 (3 << 0)      /* 8 data bits, no parity, 1 stop bit */
#define LCR_DLAB (1 << 7)     /* divisor latch access */
#define FCR_ON_EMPTY (7 << 0) /* FIFOs on, both emptied */
#define MCR_DTR_RTS (3 << 0)  /* we are here, and ready to send */
#define LSR_THRE (1 << 5)     /* the transmit holding register is empty */

#define UART_CLOCK 115200 /* the data sheet's 1.8432 MHz, a sixteenth of it */
#define BAUD 115200
#define LOOKS 0xffff /* a look takes about 1 us, sending a byte 87 us */

void serial_init(void)
{
    const uint16_t divisor = UART_CLOCK / BAUD;

    outb(UART_IER, 0);
    outb(UART_LCR, LCR_DLAB | LCR_8N1);
    outb(UART_DLL, divisor & 0xff);
    outb(UART_DLM, divisor >> 8);
    outb(UART_LCR, LCR_8N1);
    outb(UART_FCR, FCR_ON_EMPTY);
    outb(UART_MCR, MCR_DTR_RTS);
}

void serial_put(char c)
{
    for (int looks = LOOKS; looks > 0 && !(inb(UART_LSR) & LSR_THRE); looks--) {
    }
    outb(UART_THR, (uint8_t)c);
}

void serial_write(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            serial_put('\r');
        }
        serial_put(*text);
    }
}
