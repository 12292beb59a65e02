/* samples.c -- all that the console can show */
#include "samples.h"

#include "console.h"
#include "kprintf.h"

/* Code page 437, a row for each first digit. */
static const char *const glyphs[16] = {
    "  ☺ ☻ ♥ ♦ ♣ ♠ • ◘ ○ ◙ ♂ ♀ ♪ ♫ ☼",
    "► ◄ ↕ ‼ ¶ § ▬ ↨ ↑ ↓ → ← ∟ ↔ ▲ ▼",
    "  ! \" # $ % & ' ( ) * + , - . /",
    "0 1 2 3 4 5 6 7 8 9 : ; < = > ?",
    "@ A B C D E F G H I J K L M N O",
    "P Q R S T U V W X Y Z [ \\ ] ^ _",
    "` a b c d e f g h i j k l m n o",
    "p q r s t u v w x y z { | } ~ ⌂",
    "Ç ü é â ä à å ç ê ë è ï î ì Ä Å",
    "É æ Æ ô ö ò û ù ÿ Ö Ü ¢ £ ¥ ₧ ƒ",
    "á í ó ú ñ Ñ ª º ¿ ⌐ ¬ ½ ¼ ¡ « »",
    "░ ▒ ▓ │ ┤ ╡ ╢ ╖ ╕ ╣ ║ ╗ ╝ ╜ ╛ ┐",
    "└ ┴ ┬ ├ ─ ┼ ╞ ╟ ╚ ╔ ╩ ╦ ╠ ═ ╬ ╧",
    "╨ ╤ ╥ ╙ ╘ ╒ ╓ ╫ ╪ ┘ ┌ █ ▄ ▌ ▐ ▀",
    "α ß Γ π Σ σ µ τ Φ Θ Ω δ ∞ φ ε ∩",
    "≡ ± ≥ ≤ ⌠ ⌡ ÷ ≈ ° ∙ · √ ⁿ ² ■  ",
};

/* Each row of 16 pairs of colours and 16 glyphs is just as wide as the screen. */
void print_samples(void)
{
    for (unsigned background = 0; background < 16; background++) {
        for (unsigned foreground = 0; foreground < 16; foreground++) {
            console_color(foreground, background);
            kprintf(" %x%x", background, foreground);
        }
        console_color(COLOR_LIGHT_GREY, COLOR_BLACK);
        kprintf(" %s\n", glyphs[background]);
    }
    kprintf("Zürich, 25 °C, ½ + ¼, π ≈ 3.14159. A character that code page 437 has not, "
            "such as 日 or ¾, becomes a square.\n");
}
