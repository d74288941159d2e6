-- For wrk: each request asks for a room that was never asked for. Their prefix comes after `--`.
local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

function init(args)
   prefix = "/room/" .. args[1] .. "-" .. number .. "-"
   asked = 0
end

function request()
   asked = asked + 1
   return wrk.format("GET", prefix .. asked)
end
