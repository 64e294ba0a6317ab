-- Before this text stands `local host_of`: the address (base64) of each token. What a route wants is its filter context.
local token_of = {}
for token, host in pairs(host_of) do token_of[host] = token end

local function shown(headers, settings)
  if settings.cookie ~= nil then
    local cookies = headers:get("cookie")
    return cookies and string.match("; " .. cookies, "[; ,]" .. settings.cookie_pattern .. "=([%w_-]+)")
  end
  return headers:get(settings.header)
    or string.match(headers:get(":path") or "", "[?&]" .. settings.query_pattern .. "=([%w_-]+)")
end

function envoy_on_request(handle)
  local settings = handle:filterContext():get("affinity")
  if settings == nil then return end
  local headers = handle:headers()
  local token = shown(headers, settings)
  if token == nil then return end
  local host = host_of[token]
  if host ~= nil then
    headers:replace("x-switchboard-host", host)
  elseif settings.strict then
    headers:replace("x-switchboard-refused", "session-gone")
    handle:respond({ [":status"] = "503" }, "")
  end
end

-- stateful_session tells the address that was chosen when it is another than the one asked for: it never goes out.
function envoy_on_response(handle)
  local headers = handle:headers()
  local host = headers:get("x-switchboard-host")
  if host == nil then return end
  headers:remove("x-switchboard-host")
  local settings = handle:filterContext():get("affinity")
  local token = token_of[host]
  if settings == nil or token == nil then return end
  if settings.cookie ~= nil then
    local secure = handle:connection():ssl() ~= nil and "; Secure" or ""
    headers:add("set-cookie", settings.cookie .. "=" .. token .. settings.attributes .. secure)
  else
    headers:replace(settings.header, token)
  end
end
