// themes.mjs -- the colours of code, one set for light and one for dark
//
// Code stands in the colour of text, names of instructions and registers too. What has a
// colour is what the eye looks for: comments, text in quotes, numbers, and the words of the
// language. What a listing defines (a label, a function) is bold, and so is what a reader
// types. Grounds and borders are those of src/styles/site.css.

const light = {
  paper: '#f6f4ee',
  text: '#22252c',
  quiet: '#454950',
  comment: '#5c625c',
  string: '#27653a',
  number: '#8f4400',
  keyword: '#2c50a0',
  border: '#cbc8bf',
  added: '#1e6635',
  removed: '#a02d27',
  mark: '#d98a1f2e',
  markBorder: '#a8660d',
};

const dark = {
  paper: '#151a22',
  text: '#e6e3dc',
  quiet: '#bfc1c4',
  comment: '#959ba3',
  string: '#9ccb93',
  number: '#ffc473',
  keyword: '#9bbcf5',
  border: '#343a45',
  added: '#8fd3a0',
  removed: '#f39d94',
  mark: '#d98a1f33',
  markBorder: '#d98a1f',
};

/** What Expressive Code needs to know of a theme, in the format of an editor's themes. */
function theme(type, palette) {
  const rule = (scope, foreground, fontStyle = '') => ({
    scope,
    settings: { foreground, fontStyle },
  });
  return {
    name: `first-light-${type}`,
    type,
    colors: {
      'editor.background': palette.paper,
      'editor.foreground': palette.text,
      'editorGroupHeader.tabsBackground': palette.paper,
      'editorGroupHeader.tabsBorder': palette.border,
      'tab.activeBackground': palette.paper,
      'tab.activeForeground': palette.comment,
      'titleBar.activeForeground': palette.comment,
      'focusBorder': palette.keyword,
    },
    tokenColors: [
      rule(['comment', 'meta.diff.range', 'punctuation.definition.prompt'], palette.comment),
      rule(['string', 'constant.character'], palette.string),
      rule(
        ['keyword', 'storage', 'support.type', 'punctuation.definition.directive'],
        palette.keyword,
      ),
      rule(
        ['constant.numeric', 'constant.language', 'keyword.other.unit', 'storage.type.number'],
        palette.number,
      ),
      rule(
        [
          'keyword.operator',
          'keyword.other.contract',
          'storage.modifier.array',
          'string.interpolated',
          'string.unquoted',
          'support.function',
          'variable',
        ],
        palette.text,
      ),
      rule(['keyword.operator.sizeof', 'keyword.operator.logical.python'], palette.keyword),
      rule(
        [
          'entity.name.label',
          'entity.name.section',
          'entity.name.type.class',
          'entity.name.type.definition',
          'entity.name.function.definition',
          'entity.name.function.python',
          'markup.command',
          'meta.diff.header',
        ],
        palette.text,
        'bold',
      ),
      rule('markup.output', palette.quiet),
      rule('markup.inserted', palette.added),
      rule('markup.deleted', palette.removed),
    ],
    styleOverrides: {
      borderColor: palette.border,
      textMarkers: {
        markBackground: palette.mark,
        markBorderColor: palette.markBorder,
        insBackground: `${palette.added}22`,
        insBorderColor: palette.added,
        delBackground: `${palette.removed}22`,
        delBorderColor: palette.removed,
      },
    },
  };
}

/** Dark comes first, as in Starlight's own pair. */
export const themes = [theme('dark', dark), theme('light', light)];
