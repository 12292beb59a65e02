// grammar.test.mjs -- code has the colours that its language asks for, in all of our sources
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { bundledLanguages, bundledLanguagesAlias, createHighlighter } from 'shiki';
import { langs } from '../ec.config.mjs';
import { commands, isCommand } from '../plugins/console.mjs';
import { languages } from '../plugins/languages.mjs';
import { docs, root } from '../site.mjs';
import { themes } from '../themes.mjs';

const SHIKI = ['c', 'diff', 'make', 'python', 'sh'];
const highlighter = await createHighlighter({ themes, langs: [...langs, ...SHIKI] });

/** Shiki gives a line half a second; a machine that is busy may need more. */
function tokens(lang, code, more) {
  const options = { lang, theme: themes[0].name, tokenizeTimeLimit: 0, ...more };
  return highlighter.codeToTokensBase(code, options);
}

/** The pieces of a text line by line, each with its innermost scope, blanks left out. */
function scopes(lang, code) {
  return tokens(lang, code, { includeExplanation: true }).map((line) =>
    line
      .flatMap((token) => token.explanation)
      .filter((piece) => piece.content.trim())
      .map((piece) => [piece.content.trim(), piece.scopes.at(-1).scopeName]),
  );
}

/** The scope of one piece of a line, without the language at its end. */
function scopeOf(lang, line, piece) {
  const found = scopes(lang, line).flat().find(([content]) => content === piece);
  assert.ok(found, `"${piece}" is no piece of its own in: ${line}`);
  return found[1].replace(/\.\w+$/, '');
}

/** The colour and the weight of one piece of a text in the light theme. */
function look(lang, code, piece) {
  const lines = tokens(lang, code, { theme: 'first-light-light' });
  const token = lines.flat().find(({ content }) => content.includes(piece));
  assert.ok(token, `"${piece}" is not in: ${code}`);
  return { color: token.color.toLowerCase(), bold: token.fontStyle === 2 };
}

function* files(folder, extensions) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* files(file, extensions);
    else if (extensions.includes(path.extname(file))) yield file;
  }
}

const sources = (...extensions) =>
  ['common', 'chapters'].flatMap((folder) => [...files(path.join(root, folder), extensions)]);

/** Every fenced listing of docs/: its first line's words, and its text. */
const listings = readdirSync(docs)
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) => {
    const text = readFileSync(path.join(docs, file), 'utf8');
    return [...text.matchAll(/^```(\w+) ?(.*)\n([^]*?)\n?^```$/gm)].map(([, lang, meta, value]) => {
      const node = { type: 'code', lang, meta: meta.replace('save=', 'title='), value };
      languages()({ type: 'root', children: [node] });
      return { file, ...node };
    });
  });

// What stands in a line, a piece of it, and what the piece is.
const NASM = [
  ['bits 16', 'bits', 'keyword.other.directive'],
  ['    mov ah, 0x0e', 'mov', 'support.function.mnemonic'],
  ['    mov ah, 0x0e', 'ah', 'variable.language.register'],
  ['    mov ah, 0x0e', '0x0e', 'constant.numeric'],
  ['    mov cr0, eax', 'cr0', 'variable.language.register'],
  ['    mov [r10d + 8], r8b', 'r10d', 'variable.language.register'],
  ["    cmp al, ';'", "';'", 'string.quoted.single'],
  ['    jmp short entry', 'short', 'storage.modifier'],
  ['    mov word [es:0], 0xbeef', 'word', 'storage.modifier'],
  ['    mov al, [rel word_count]', 'word_count', 'variable.other.symbol'],
  ['    rep movsb', 'movsb', 'support.function.mnemonic'],
  ['    descriptor 0, 0xfffff, DESC_CODE', 'descriptor', 'support.function.mnemonic'],
  ['stop:', 'stop', 'entity.name.label'],
  ['.next_sector: lodsb', '.next_sector', 'entity.name.label'],
  ['.next_sector: lodsb', 'lodsb', 'support.function.mnemonic'],
  ['for_mode(serial_put):', 'serial_put', 'entity.name.label'],
  ['%%copy:', '%%copy', 'entity.name.label'],
  ['hello: db "Hello; you", 13, 0', 'hello', 'entity.name.label'],
  ['hello: db "Hello; you", 13, 0', 'db', 'keyword.other.directive'],
  ['hello: db "Hello; you", 13, 0', '"Hello; you"', 'string.quoted.double'],
  ['saved dw 0', 'saved', 'entity.name.label'],
  ['    .base:          resq 1', '.base', 'entity.name.label'],
  ['    .base:          resq 1', 'resq', 'keyword.other.directive'],
  ['    times 510 - ($ - $$) db 0', 'times', 'keyword.other.directive'],
  ['    times 510 - ($ - $$) db 0', 'db', 'keyword.other.directive'],
  ['    times 510 - ($ - $$) db 0', '$$', 'variable.language.here'],
  ['    at head.magic, dd MAGIC', 'at', 'keyword.other.directive'],
  ['struc memory_map_entry', 'struc', 'keyword.other.directive'],
  ['struc memory_map_entry', 'memory_map_entry', 'entity.name.type.definition'],
  ['CR0_PE equ 1 << 0', 'equ', 'keyword.other.directive'],
  ['CR0_PE equ 1 << 0', '1', 'constant.numeric'],
  ['%include "x86/layout.inc"', '%include', 'keyword.control.directive'],
  ['    %error "too big"', '%error', 'keyword.control.directive'],
  ['    dw %1 & 0xffff', '%1', 'variable.parameter'],
  ['; clobbers:  al', 'clobbers', 'keyword.other.contract'],
  ['; print: in: out', 'print: in: out', 'comment.line.semicolon'],
];

for (const [line, piece, scope] of NASM) {
  test(`in NASM, ${piece} of "${line.trim()}" is ${scope}`, () => {
    assert.equal(scopeOf('nasm', line, piece), scope);
  });
}

/** Where the comment of a line of NASM begins, by its rules for text in quotes. */
function commentOf(line) {
  return /^(?:[^;"'`]|"[^"]*"|'[^']*'|`(?:\\.|[^`\\])*`)*(;.*)?$/.exec(line)?.[1]?.trim() ?? '';
}

test('in each of our NASM sources the comments are comments and nothing else is', () => {
  for (const file of sources('.asm', '.inc')) {
    const text = readFileSync(file, 'utf8');
    const lines = scopes('nasm', text);
    text.split('\n').forEach((line, number) => {
      const comment = lines[number].filter(([, scope]) => /^comment|contract/.test(scope));
      const seen = comment.map(([content]) => content).join('').replace(/\s/g, '');
      assert.equal(seen, commentOf(line).replace(/\s/g, ''), `${file}:${number + 1}`);
    });
  }
});

test('in each of our NASM sources a line begins with a label or says what it does', () => {
  for (const file of sources('.asm', '.inc')) {
    scopes('nasm', readFileSync(file, 'utf8')).forEach((line, number) => {
      if (line.length === 0) return;
      assert.match(
        line[0][1],
        /^(comment|entity\.name\.label|keyword|support\.function|variable\.other\.constant)/,
        `${file}:${number + 1}: ${line[0]}`,
      );
    });
  }
});

test('in each of our linker scripts all braces are outside of comments and text', () => {
  for (const file of sources('.ld')) {
    const plain = scopes('ld', readFileSync(file, 'utf8'))
      .flat()
      .filter(([, scope]) => scope === 'source.ld')
      .map(([content]) => content)
      .join('');
    assert.equal(plain.split('{').length, plain.split('}').length, file);
    assert.ok(plain.includes('{'), file);
  }
});

test('a linker script has its commands, its sections and its numbers', () => {
  assert.equal(scopeOf('ld', 'SECTIONS', 'SECTIONS'), 'keyword.other');
  assert.equal(scopeOf('ld', '    . = ALIGN(4096);', 'ALIGN'), 'keyword.other');
  assert.equal(scopeOf('ld', '    . = ALIGN(4096);', '4096'), 'constant.numeric');
  assert.equal(scopeOf('ld', '    .bss : ALIGN(16) {', '.bss'), 'entity.name.section');
  const stack = 'SECTIONS { .stack 0 (NOLOAD) : { . += 0x20000; } :stack }';
  assert.equal(scopeOf('ld', stack, '.stack'), 'entity.name.section');
  assert.equal(scopeOf('ld', stack, 'NOLOAD'), 'constant.language');
  const sections = scopes('ld', '    .all : { *(.data) *(.bss) } :data').flat()
    .filter(([, scope]) => scope.startsWith('entity.name.section'));
  assert.deepEqual(sections.map(([content]) => content), ['.all']);
  assert.equal(scopeOf('ld', '    code PT_LOAD FLAGS(5);', 'PT_LOAD'), 'constant.language');
  assert.equal(scopeOf('ld', '    *(.text)   /* all code */', '/*'), 'comment.block');
});

test('each listing of the posts has a language that is known', () => {
  const known = new Set([
    'text',
    ...langs.map(({ name }) => name),
    ...Object.keys(bundledLanguages),
    ...Object.keys(bundledLanguagesAlias),
  ]);
  assert.ok(listings.length > 200);
  for (const { file, lang } of listings) assert.ok(known.has(lang), `${file}: ${lang}`);
});

test('a listing of plain text is what its file name or its prompt says', () => {
  const lang = (part) =>
    listings.find(({ meta, value }) => `${meta}\n${value}`.includes(part)).lang;
  assert.equal(lang('title="common/kernel/kernel.ld"'), 'ld');
  assert.equal(lang('EFI_SECTIONS :='), 'make');
  assert.equal(lang('PHDRS { ...'), 'ld');
  assert.equal(lang('(qemu) info registers'), 'console');
  assert.equal(lang('error: SSE register return'), 'console');
  assert.equal(lang('transmit FIFO overflow'), 'text');
});

const SESSION = [
  '$ gcc -O2 \\',
  '    -c kernel.c',
  '$ { echo 1; } |',
  '> cat',
  '...',
  '$1 = 65536',
  '(gdb) walk 0xb8000',
  '  0x08  base 0x00000000',
].join('\n');

test('a session in a terminal tells commands from what the machine answers', () => {
  const seen = scopes('console', SESSION).map((line) => line.at(-1)[1].replace(/\.console$/, ''));
  const [command, output] = ['markup.command', 'markup.output'];
  const omission = 'comment.omission';
  assert.deepEqual(
    seen,
    [command, command, command, command, omission, output, command, output],
  );
});

test('the copy button takes the commands and no prompt', () => {
  assert.equal(
    commands(SESSION),
    'gcc -O2 \\\n    -c kernel.c\n{ echo 1; } |\ncat\nwalk 0xb8000',
  );
});

test('each session of the posts begins with a command or has none', () => {
  for (const { file, lang, value } of listings) {
    if (lang !== 'console' || isCommand(value)) continue;
    assert.equal(commands(value), '', `${file}: ${value.split('\n')[0]}`);
  }
});

test('a definition is bold, and the same name in a call is not', () => {
  assert.ok(look('nasm', 'print:\n    call print_char\n', 'print').bold);
  assert.ok(!look('nasm', 'print:\n    call print_char\n', 'print_char').bold);
  assert.ok(look('c', 'void halt(void)\n{\n    panic(1);\n}\n', 'halt').bold);
  assert.ok(!look('c', 'void halt(void)\n{\n    panic(1);\n}\n', 'panic').bold);
  assert.ok(!look('c', '    if (fail(1))\n        image->put(2);\n', 'fail').bold);
  assert.ok(!look('c', '    if (fail(1))\n        image->put(2);\n', 'put').bold);
  assert.ok(look('python', 'def walk():\n    call()\n', 'walk').bold);
});

test('in each of our C sources what is bold is a definition', () => {
  for (const file of sources('.c')) {
    const lines = tokens('c', readFileSync(file, 'utf8'), { theme: 'first-light-light' });
    const text = lines.map((line) => line.map(({ content }) => content).join(''));
    lines.forEach((line, number) => {
      const bold = line.filter(({ fontStyle }) => fontStyle === 2).map(({ content }) => content);
      const where = `${file}:${number + 1}: ${text[number]}`;
      const defines = /^\w.*\)$/.test(text[number]) && text[number + 1] === '{';
      if (text[number].startsWith(' ')) assert.deepEqual(bold, [], where);
      else if (defines) assert.equal(bold.length, 1, where);
    });
  }
});

test('instructions and registers have the colour of text', () => {
  const text = themes[1].colors['editor.foreground'];
  assert.deepEqual(look('nasm', '    mov ax, bx', 'mov'), { color: text, bold: false });
  assert.deepEqual(look('nasm', '    mov ax, 1', 'ax'), { color: text, bold: false });
});

test('the brackets of an array are no word of the language', () => {
  const text = themes[1].colors['editor.foreground'];
  assert.equal(look('c', 'static const char hello[] = "Hello";', '[]').color, text);
});

test('what a change adds and what it takes away differ in colour', () => {
  const change = '--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n';
  const colours = ['-old', '+new', 'same'].map((piece) => look('diff', change, piece).color);
  assert.equal(new Set(colours).size, 3);
});

/** The relative luminance of #rrggbb (WCAG 2.2, Relative luminance). */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** How much one #rrggbb stands out from another (WCAG 2.2, Contrast ratio). */
function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** What is seen of #rrggbbaa on a ground, as #rrggbb. */
function over(colour, ground) {
  const [alpha, ...parts] = [7, 1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const mixed = parts.map((part, index) => {
    const below = parseInt(ground.slice(1 + 2 * index, 3 + 2 * index), 16);
    return Math.round(below + ((part - below) * alpha) / 255);
  });
  return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

for (const { name, colors, tokenColors, styleOverrides } of themes) {
  test(`in ${name} every colour stands out from the ground by 5.5 to 1`, () => {
    for (const { scope, settings } of tokenColors) {
      const found = contrast(settings.foreground, colors['editor.background']);
      assert.ok(found >= 5.5, `${scope}: ${settings.foreground} has ${found.toFixed(2)}`);
    }
  });

  test(`in ${name} every colour stands out from a marked line by 4.5 to 1`, () => {
    const { markBackground, insBackground, delBackground } = styleOverrides.textMarkers;
    for (const mark of [markBackground, insBackground, delBackground]) {
      const ground = over(mark, colors['editor.background']);
      for (const { scope, settings } of tokenColors) {
        const found = contrast(settings.foreground, ground);
        assert.ok(found >= 4.5, `${scope} on ${mark} has ${found.toFixed(2)}`);
      }
    }
  });
}

test('where lines of a listing are marked, it has these lines', () => {
  let marked = 0;
  for (const { file, meta, value } of listings) {
    const [, lines] = /\{([\d,-]+)\}/.exec(meta) ?? [];
    if (!lines) continue;
    marked += 1;
    const text = value.split('\n');
    for (const line of lines.split(/[,-]/)) {
      assert.ok(text[line - 1]?.trim(), `${file}: ${meta} marks nothing in line ${line}`);
    }
  }
  assert.ok(marked >= 20);
});
