/**
 * llama.cpp built for this very processor, through its Python package: rates at llama_decode, without sampling. Prompts
 * are read one after another in batches of 512, its default, as its server does, which serves one request at a time.
 */

/** Arguments: the GGUF, threads, the workload as JSON with `plain`: whether weights are kept as they are in the file. */
export const program = `
import ctypes, json, sys, time
import llama_cpp as c
model, threads, o = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
quiet = c.llama_log_callback(lambda level, text, data: None)
c.llama_log_set(quiet, ctypes.c_void_p(0))
c.llama_backend_init()
mp = c.llama_model_default_params(); mp.n_gpu_layers = 0; mp.use_extra_bufts = not o['plain']
m = c.llama_model_load_from_file(model.encode(), mp)
N, streams = 512, o['streams']
b = c.llama_batch_init(N, 0, streams)
def open_context(sequences, rows):
    global x, mem
    cp = c.llama_context_default_params()
    cp.n_ctx, cp.n_batch, cp.n_ubatch, cp.n_seq_max = rows * sequences, N, N, sequences
    cp.n_threads = cp.n_threads_batch = threads
    x = c.llama_init_from_model(m, cp)
    mem = c.llama_get_memory(x)
def run(rows):
    b.n_tokens = len(rows)
    for i, (token, position, sequence, wanted) in enumerate(rows):
        b.token[i], b.pos[i], b.n_seq_id[i], b.logits[i] = token, position, 1, wanted
        b.seq_id[i][0] = sequence
    assert c.llama_decode(x, b) == 0
    c.llama_synchronize(x)
def prefill(s, n, number=0):
    c.llama_memory_seq_rm(mem, s, -1, -1)
    rows = [(1000 + (3000 * number + i) * 7919 % 40000, i, s, i == n - 1) for i in range(n)]
    for i in range(0, n, N): run(rows[i:i + N])
def median(numbers): return sorted(numbers)[len(numbers) // 2]
def rate(count, work, repeats):
    times = []
    for i in range(repeats + 1):
        t = time.perf_counter(); work(i); times.append(time.perf_counter() - t)
    return count / median(times[1:])
repeats, steps, before = o['repeats'], o['steps'], o['before']
open_context(streams, 1024)
out = [rate(n, lambda i: prefill(0, n), repeats) for n in (128, 512)]
for s in range(streams): prefill(s, before)
out.append(rate(1, lambda i: run([(1000 + i, before + i, 0, True)]), steps))
prefill(0, before)
out.append(rate(streams, lambda i: run([(1000 + i, before + i, s, True) for s in range(streams)]), steps))
c.llama_free(x)
open_context(2, o['long'] + 64)
times = []
for i, wait in enumerate(o['waits']):
    wait /= 1000
    t = time.perf_counter()
    prefill(0, o['long'], 2 * i)
    first = time.perf_counter() - t
    if first < wait: time.sleep(wait - first)
    prefill(1, o['short'], 2 * i + 1)
    times.append((time.perf_counter() - t - wait, first))
out += [1000 * median([pair[which] for pair in times]) for which in (0, 1)]
print(json.dumps(out))
`
