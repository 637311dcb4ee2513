package main

import (
	"encoding/json"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	slot  = 100 * time.Millisecond
	slots = 36_000 // an hour; what comes later counts in the last one
)

// behaviour is how the sink answers while one measurement lasts.
type behaviour struct {
	latency   time.Duration
	failShare float64
	rate      float64
}

// measurement is what the sink saw since the last reset. A connection opened before counts where its requests are.
type measurement struct {
	behaviour
	requests, connections, inFlight, maxInFlight, objects, bytes, refused atomic.Int64
	byKind                                                                [kinds]atomic.Int64
	firstRequest, lastAnswer                                              atomic.Int64
	asked                                                                 atomic.Int64
	perSlot                                                               struct{ requests, objects, bytes, refused [slots]atomic.Int64 }
	sinkCPU                                                               time.Duration

	bucket struct {
		sync.Mutex
		tokens float64
		filled time.Time
	}
}

var (
	started = time.Now()
	current atomic.Pointer[measurement]
)

func newMeasurement(how behaviour) *measurement {
	m := &measurement{behaviour: how, sinkCPU: ownCPU()}
	m.bucket.filled = time.Now()
	m.bucket.tokens = m.burst()
	return m
}

func (m *measurement) connected() { m.connections.Add(1) }

func (m *measurement) begin(k kind) {
	m.requests.Add(1)
	m.byKind[k].Add(1)
	now := sinceStart()
	if m.firstRequest.Load() == 0 {
		m.firstRequest.CompareAndSwap(0, now)
	}
	m.perSlot.requests[m.slotAt(now)].Add(1)
	flying := m.inFlight.Add(1)
	for {
		most := m.maxInFlight.Load()
		if flying <= most || m.maxInFlight.CompareAndSwap(most, flying) {
			return
		}
	}
}

func (m *measurement) received(n int) {
	m.bytes.Add(int64(n))
	m.perSlot.bytes[m.slotAt(sinceStart())].Add(int64(n))
}

func (m *measurement) answered(k kind, refused bool) {
	now := sinceStart()
	m.lastAnswer.Store(now)
	if refused {
		m.refused.Add(1)
		m.perSlot.refused[m.slotAt(now)].Add(1)
	} else if k.storesObject() {
		m.objects.Add(1)
		m.perSlot.objects[m.slotAt(now)].Add(1)
	}
}

func (m *measurement) end() { m.inFlight.Add(-1) }

// refuses spreads the share evenly, so that every run meets the same number of refusals; above the rate a bucket of
// a tenth of a second's tokens decides.
func (m *measurement) refuses() bool {
	if m.failShare > 0 {
		n := float64(m.asked.Add(1))
		if math.Floor(n*m.failShare) > math.Floor((n-1)*m.failShare) {
			return true
		}
	}
	if m.rate <= 0 {
		return false
	}
	m.bucket.Lock()
	defer m.bucket.Unlock()
	now := time.Now()
	m.bucket.tokens = min(m.burst(), m.bucket.tokens+now.Sub(m.bucket.filled).Seconds()*m.rate)
	m.bucket.filled = now
	if m.bucket.tokens < 1 {
		return true
	}
	m.bucket.tokens--
	return false
}

func (m *measurement) burst() float64 { return max(1, m.rate/10) }

// The time line begins with the first request.
func (m *measurement) slotAt(now int64) int64 {
	return min(max(0, now-m.firstRequest.Load())/int64(slot), slots-1)
}

// sinceStart is never 0, which stands for "not yet".
func sinceStart() int64 { return int64(time.Since(started)) + 1 }

func ownCPU() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (m *measurement) figures() map[string]any {
	byKind := map[string]int64{}
	for k := range m.byKind {
		if n := m.byKind[k].Load(); n > 0 {
			byKind[kindNames[k]] = n
		}
	}
	length := min((m.lastAnswer.Load()-m.firstRequest.Load())/int64(slot)+1, slots)
	return map[string]any{
		"requests": m.requests.Load(), "byKind": byKind, "connections": m.connections.Load(),
		"maxConcurrent": m.maxInFlight.Load(), "objects": m.objects.Load(), "bytes": m.bytes.Load(),
		"refused":             m.refused.Load(),
		"firstToLastAnswerMs": float64(m.lastAnswer.Load()-m.firstRequest.Load()) / 1e6,
		"sinkCpuS":            (ownCPU() - m.sinkCPU).Seconds(),
		"slotMs":              slot.Milliseconds(),
		"timeLine": map[string]any{
			"requests": counts(&m.perSlot.requests, length), "objects": counts(&m.perSlot.objects, length),
			"bytes": counts(&m.perSlot.bytes, length), "refused": counts(&m.perSlot.refused, length),
		},
	}
}

func counts(line *[slots]atomic.Int64, length int64) []int64 {
	result := make([]int64, max(0, length))
	for i := range result {
		result[i] = line[i].Load()
	}
	return result
}

// serveControl answers /stats, and /reset?latency=30ms&failShare=0.01&rate=200, which begins a new measurement.
func serveControl(listener net.Listener) {
	routes := http.NewServeMux()
	routes.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(current.Load().figures())
	})
	routes.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		var how behaviour
		var err error
		query := r.URL.Query()
		parse := func(name string, into *float64) {
			if text := query.Get(name); text != "" && err == nil {
				*into, err = strconv.ParseFloat(text, 64)
			}
		}
		parse("failShare", &how.failShare)
		parse("rate", &how.rate)
		if text := query.Get("latency"); text != "" && err == nil {
			how.latency, err = time.ParseDuration(text)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		current.Store(newMeasurement(how))
	})
	_ = http.Serve(listener, routes)
}
