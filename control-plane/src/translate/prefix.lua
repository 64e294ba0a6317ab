-- Only plain HTTP comes here (prefix.ts). A route's metadata says what it has taken off: `stripped`, or `to` where `from` was put in its place.
-- What a path of the agent is called outside: `from` gives way to `to`, where it stands as whole segments. Nil: it is none of them.
local function outside(path, from, to)
  if path:sub(1, 1) ~= "/" or path:sub(1, 2) == "//" then return nil end
  if path:sub(1, #to) == to and (#path == #to or path:find("^[/?#]", #to + 1)) then return nil end
  if path:sub(1, #from) ~= from then return nil end
  local rest = path:sub(#from + 1)
  if rest ~= "" and not rest:find("^[/?#]") then return nil end
  return to .. rest
end

local function location(value, from, to, host)
  local origin, path = value:match("^(%a[%w+.-]*://[^/?#]*)(.*)$")
  if origin == nil then return outside(value, from, to) end
  if host == nil or origin:match("://(.*)$"):lower() ~= host:lower() then return nil end
  local found = outside(path == "" and "/" or path, from, to)
  return found and origin .. found
end

local function cookie(value, from, to)
  -- Ours are made for the outside.
  if value:find("^switchboard") then return nil end
  local before, path, after = value:match("^(.-;%s*[Pp][Aa][Tt][Hh]%s*=%s*)([^;]-)(%s*;.*)$")
  if before == nil then before, path, after = value:match("^(.-;%s*[Pp][Aa][Tt][Hh]%s*=%s*)([^;]*)$") end
  local found = path and outside(path, from, to)
  return found and before .. found .. (after or "")
end

function envoy_on_request(handle)
  handle:streamInfo():dynamicMetadata():set("prefix", "host", handle:headers():get(":authority"))
end

function envoy_on_response(handle)
  local settings = handle:metadata()
  local from, to = settings:get("from") or "", settings:get("stripped") or settings:get("to")
  if to == nil then return end
  local headers = handle:headers()
  local asked = handle:streamInfo():dynamicMetadata():get("prefix")
  for _, name in ipairs({"location", "content-location"}) do
    local value = headers:get(name)
    local found = value and location(value, from, to, asked and asked["host"])
    if found then headers:replace(name, found) end
  end
  local count = headers:getNumValues("set-cookie")
  if count == 0 then return end
  local cookies, changed = {}, false
  for index = 0, count - 1 do
    local value = headers:getAtIndex("set-cookie", index)
    local found = cookie(value, from, to)
    changed = changed or found ~= nil
    cookies[index + 1] = found or value
  end
  if not changed then return end
  headers:remove("set-cookie")
  for _, value in ipairs(cookies) do headers:add("set-cookie", value) end
end
