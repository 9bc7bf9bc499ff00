package granttest

import (
	"context"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Person is a grant.User that does what the functions say. Open and Code run
// them in the background, as a browser would; End waits for them.
type Person struct {
	OnOpen  func(grant.Visit)
	OnCode  func(grant.DeviceCode)
	OnPaste func(grant.Visit) string

	mu     sync.Mutex
	wg     sync.WaitGroup
	visits []grant.Visit
	codes  []grant.DeviceCode
	open   int // displays that were begun and not ended
}

var _ grant.User = (*Person)(nil)

// Open implements grant.User.
func (p *Person) Open(_ context.Context, v grant.Visit) (func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.visits = append(p.visits, v)
	p.open++
	if p.OnOpen != nil {
		p.wg.Go(func() { p.OnOpen(v) })
	}
	return p.done, nil
}

// Code implements grant.User.
func (p *Person) Code(_ context.Context, d grant.DeviceCode) (func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes = append(p.codes, d)
	p.open++
	if p.OnCode != nil {
		p.wg.Go(func() { p.OnCode(d) })
	}
	return p.done, nil
}

// Paste implements grant.User.
func (p *Person) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) {
	p.mu.Lock()
	p.visits = append(p.visits, v)
	p.mu.Unlock()
	if p.OnPaste == nil {
		<-ctx.Done()
		return "", ctx.Err()
	}
	pasted := make(chan string, 1)
	p.wg.Go(func() { pasted <- p.OnPaste(v) })
	select {
	case s := <-pasted:
		return secret.Secret(s), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (p *Person) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
}

// Visits are the pages that the person was sent to.
func (p *Person) Visits() []grant.Visit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.visits
}

// Codes are the device codes that the person was shown.
func (p *Person) Codes() []grant.DeviceCode {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.codes
}

// OpenDisplays counts the displays that were not ended.
func (p *Person) OpenDisplays() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// End waits until everything that the person began is over.
func (p *Person) End() { p.wg.Wait() }

// Clock is a clock that moves when somebody sleeps by it.
type Clock struct {
	mu    sync.Mutex
	at    time.Time
	slept []time.Duration
}

// NewClock starts at a fixed moment.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Sleep moves the clock, at once.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// Slept are the sleeps so far.
func (c *Clock) Slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}
