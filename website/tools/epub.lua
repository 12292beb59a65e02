-- epub.lua -- a pandoc filter: links of posts that know a Git host become links of a book
--
-- Each post has one heading of level 1, and comes in the order of the metadata "pages". An id
-- becomes "PAGE--ID", so that a link says which chapter it means. A link to a file that is
-- not in the book becomes plain text.

local is_page = {}

-- Newer versions of pandoc put the file's name before an id: "PAGE.md__ID".
local function target_of(link, page)
    local file, id = link.target:match("^([%w-]*)%.md#?(.*)$")
    if link.target:match("^#") then
        file, id = link.target:match("^#([%w-]+)%.md__(.*)$")
        file, id = file or page, id or link.target:sub(2)
    end
    if is_page[file] then
        return id == "" and "#" .. file or "#" .. file .. "--" .. id
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

function Pandoc(document)
    local pages, number = {}, 0
    for page in pandoc.utils.stringify(document.meta.pages):gmatch("%S+") do
        table.insert(pages, page)
        is_page[page] = true
    end
    for index, block in ipairs(document.blocks) do
        local top = block.t == "Header" and block.level == 1
        number = top and number + 1 or number
        local page = pages[number]
        if block.t == "Header" then
            local id = block.identifier:gsub("^.*%.md__", "")
            block.identifier = top and page or page .. "--" .. id
        end
        local walked = pandoc.walk_block(pandoc.Div({ block }), { Link = led(page) })
        document.blocks[index] = walked.content[1]
    end
    document.meta.pages = nil
    return document
end
