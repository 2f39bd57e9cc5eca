-- Before each request wrk waits WRK_PAUSE_MS milliseconds: a load of a given rate instead of as much as fits.
local pause = tonumber(os.getenv("WRK_PAUSE_MS"))

function delay()
  return pause
end
