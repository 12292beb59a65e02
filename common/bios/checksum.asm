; checksum.asm -- has every sector arrived, and in its place?

bits 16

; checksum -- sum up sectors in memory
;
; Before each 32-bit word is added, the sum is tripled: a plain sum would not notice
; two sectors that changed places. The build chooses the last word so that the sum of
; all is zero.
;
; in:        ax = segment of the first sector, cx = how many sectors
; out:       ZF = 1 if the sum is zero
; clobbers:  ax, ebx, cx, si; es = 0
checksum:
    xor ebx, ebx
.sector:
    mov es, ax
    xor si, si
.word:
    imul ebx, ebx, 3
    add ebx, [es:si]
    add si, 4
    cmp si, SECTOR_SIZE
    jb .word
    add ax, SECTOR_SIZE / PARAGRAPH
    loop .sector

    mov es, cx                          ; cx is 0 by now
    test ebx, ebx
    ret
