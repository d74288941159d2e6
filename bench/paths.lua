-- For wrk: asks for the paths in a file, in any order. The file comes after `--`.
local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("seed", threads)
end

function init(args)
   math.randomseed(os.time() + seed)
   paths = {}
   for path in io.lines(args[1]) do
      paths[#paths + 1] = path
   end
end

function request()
   return wrk.format("GET", paths[math.random(#paths)])
end
