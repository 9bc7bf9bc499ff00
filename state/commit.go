package state

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxBatch bounds how many changes one commit takes.
const maxBatch = 512

// queue coalesces concurrent changes into few durable transactions: while one
// commit is on its way to the disk, the next changes gather.
type queue struct {
	write func(context.Context, Batch) error

	mu      sync.Mutex
	waiting []*job
	running bool
	idle    *sync.Cond
}

type job struct {
	epoch  uint64
	change Change
	result chan error // buffered: the writer never waits for a caller
}

// put writes one change together with others. If ctx ends before the commit
// has begun, nothing is written; after that put waits for the outcome.
func (q *queue) put(ctx context.Context, epoch uint64, c Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{epoch: epoch, change: c, result: make(chan error, 1)}
	q.mu.Lock()
	if q.idle == nil {
		q.idle = sync.NewCond(&q.mu)
	}
	q.waiting = append(q.waiting, j)
	if !q.running {
		q.running = true
		go q.run()
	}
	q.mu.Unlock()
	select {
	case err := <-j.result:
		return err
	case <-ctx.Done():
	}
	if q.withdraw(j) {
		return ctx.Err()
	}
	return <-j.result
}

// withdraw takes back a change that no commit has taken yet.
func (q *queue) withdraw(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == j {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// linger is how long a commit that follows another waits for company: a commit
// costs far more than a change in it. Whoever comes alone does not wait.
const linger = 10 * time.Millisecond

// run writes until nothing waits; it lives as long as there is work.
func (q *queue) run() {
	for first := true; ; first = false {
		if !first && q.gathering() {
			time.Sleep(linger)
		}
		q.mu.Lock()
		batch := q.take()
		if len(batch) == 0 {
			q.running = false
			q.idle.Broadcast()
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		q.commit(batch)
	}
}

// gathering: changes came while others were being written, and more may come.
func (q *queue) gathering() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) > 0 && len(q.waiting) < maxBatch
}

// take removes the first changes that were sealed under one data key; q.mu is held.
func (q *queue) take() []*job {
	n := 0
	for n < len(q.waiting) && n < maxBatch && q.waiting[n].epoch == q.waiting[0].epoch {
		n++
	}
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return batch
}

// commit writes a batch. Changes that conflict are told so and left out, and
// the rest is written without them.
func (q *queue) commit(batch []*job) {
	for len(batch) > 0 {
		b := Batch{Epoch: batch[0].epoch, Changes: make([]Change, len(batch))}
		for i, j := range batch {
			b.Changes[i] = j.change
		}
		err := q.write(context.Background(), b)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || len(conflict.Changes) == 0 {
			for _, j := range batch {
				j.result <- err
			}
			return
		}
		rest := batch[:0:0]
		next := 0
		for i, j := range batch {
			if next < len(conflict.Changes) && conflict.Changes[next] == i {
				next++
				j.result <- ErrConflict
				continue
			}
			rest = append(rest, j)
		}
		batch = rest
	}
}

// close waits until nothing is being written.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.running {
		q.idle.Wait()
	}
}

// prober lets concurrent callers share a probe. A caller never gets the result
// of a probe that began before it asked.
type prober struct {
	probe func(context.Context) error

	mu      sync.Mutex
	running bool
	next    *probeRun
}

type probeRun struct {
	done chan struct{}
	err  error
}

func (p *prober) run(ctx context.Context) error {
	p.mu.Lock()
	if p.next == nil {
		p.next = &probeRun{done: make(chan struct{})}
	}
	mine := p.next
	if !p.running {
		p.running = true
		go p.loop()
	}
	p.mu.Unlock()
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *prober) loop() {
	for {
		p.mu.Lock()
		r := p.next
		p.next = nil
		if r == nil {
			p.running = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		r.err = p.probe(context.Background())
		close(r.done)
	}
}
