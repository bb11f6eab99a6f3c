-- What wrk sends for tests/bench/http, and what it found out as one line of JSON.
--
-- BENCH_METHOD, BENCH_BODY and BENCH_KEY say what is asked. With BENCH_IDS the executionId of
-- each answer is added to that file: it costs wrk some time, so measuring goes without.

wrk.method = os.getenv("BENCH_METHOD")
wrk.body = os.getenv("BENCH_BODY")
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")
if wrk.body then
	wrk.headers["Content-Type"] = "application/json"
end

local path = os.getenv("BENCH_IDS")
if path then
	local ids = assert(io.open(path, "a"))
	ids:setvbuf("line")
	function response(status, headers, body)
		local id = body:match('"executionId":"([^"]+)"')
		if id then
			ids:write(id, "\n")
		end
	end
end

function done(summary, latency, requests)
	local errors = summary.errors
	io.write(string.format(
		'{"requests":%d,"us":%d,"p50_us":%d,"p99_us":%d,"refused":%d,"broken":%d}\n',
		summary.requests, summary.duration, latency:percentile(50),
		latency:percentile(99), errors.status,
		errors.connect + errors.read + errors.write + errors.timeout))
end
