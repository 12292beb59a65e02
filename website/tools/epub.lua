-- epub.lua -- a pandoc filter: posts that know a Git host become the chapters of a book
--
-- Each post has one heading of level 1, and comes in the order of the metadata "pages". An id
-- becomes "PAGE--ID", so that a link says which chapter it means. A link to a file that is not
-- in the book leads where "file-address" says, in which FILE stands for its path in the
-- repository; where that is empty, it becomes plain text.

local SCREEN = 82 -- columns with the frame, which must not be broken: the letters are small
local WIDE = 72 -- columns; another block with longer lines has somewhat smaller letters

local is_page = {}
local file_address = ""

local function target_of(link, page)
    local file, id = link.target:match("^([%w-]*)%.md#?(.*)$")
    if link.target:match("^#") then
        file, id = page, link.target:sub(2)
    end
    if is_page[file] then
        return id == "" and "#" .. file or "#" .. file .. "--" .. id
    end
    if file_address ~= "" then
        local path = ("docs/" .. link.target):gsub("^docs/%.%./", "")
        return (file_address:gsub("FILE", function() return path end))
    end
end

local function led(page)
    return function(link)
        if link.target:match("^%a[%w+.-]*:") then
            return nil
        end
        local target = target_of(link, page)
        if not target then
            return link.content
        end
        link.target = target
        return link
    end
end

-- The id of a heading as Git hosts make it. The one that pandoc gives is unique in the book.
local function id_of(header)
    return pandoc.utils.stringify(header):lower():gsub("[^%w _-]", ""):gsub(" ", "-")
end

local function sized(code)
    local longest, framed = 0, false
    for line in code.text:gmatch("[^\n]+") do
        local columns = utf8.len(line)
        longest = math.max(longest, columns)
        framed = framed or columns == SCREEN and line:match("^[|+]")
    end
    if framed or longest > WIDE then
        code.classes:insert(framed and "screen" or "wide")
    end
    return code
end

-- Pipe tables say nothing of widths, but pandoc takes some from their dashes if a line is long.
local function unmeasured(table)
    for index, column in ipairs(table.colspecs) do
        table.colspecs[index] = { column[1], nil }
    end
    return table
end

-- A paragraph that says a drawing in words is folded, as the hints are.
local function folded(block)
    local said = block.t == "Para" and block.content[1].t == "Emph" and block.content[1].content
    if not said or not pandoc.utils.stringify(said):match("^The drawing in words") then
        return { block }
    end
    local words = pandoc.List({ table.unpack(said, 9) })
    if words[1].t == "Str" then
        words[1].text = words[1].text:gsub("^%l", string.upper)
    end
    return {
        pandoc.RawBlock("html", "<details><summary>The drawing in words</summary>"),
        pandoc.Para(words),
        pandoc.RawBlock("html", "</details>"),
    }
end

function Pandoc(document)
    file_address = pandoc.utils.stringify(document.meta["file-address"])
    local pages, number, blocks = {}, 0, pandoc.List()
    for page in pandoc.utils.stringify(document.meta.pages):gmatch("%S+") do
        table.insert(pages, page)
        is_page[page] = true
    end
    for _, block in ipairs(document.blocks) do
        local top = block.t == "Header" and block.level == 1
        number = top and number + 1 or number
        local page = pages[number]
        if block.t == "Header" then
            block.identifier = top and page or page .. "--" .. id_of(block)
        end
        local change = { Link = led(page), CodeBlock = sized, Table = unmeasured }
        blocks:extend(pandoc.Div(folded(block)):walk(change).content)
    end
    return pandoc.Pandoc(blocks, document.meta)
end
