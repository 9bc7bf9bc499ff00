package main

import (
	"context"
	"errors"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/state"
)

// The exit codes; see exitTable.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2
	exitNeedsPerson = 3
	exitTryAgain    = 4
	exitState       = 5
	exitInterrupted = 130
)

// exitTable is the documentation of the exit codes: docs/exit-codes.md is
// compared with it.
var exitTable = []struct {
	Code     int
	Meaning  string
	WhatToDo string
}{
	{exitDone, "done", "nothing"},
	{exitError, "an error", "read what stderr says; it names the next step"},
	{exitChanges, "only with `-detailed-exitcode`: changes are pending (`plan`), or were made (`apply`); only with `status -warn`: a consent ends soon", "after `plan`, run `oauthctl apply`"},
	{exitNeedsPerson, "a person is needed", "run `oauthctl apply` where somebody can consent"},
	{exitTryAgain, "try again later: network, a 5xx answer, a busy lock", "repeat; nothing has to be repaired"},
	{exitState, "the state cannot be read: damaged, changed by somebody else, or no key opens it", "do not repeat; look at the state and the identity"},
	{exitInterrupted, "interrupted", "run it again; what was finished is saved"},
}

// codeError carries an exit code that the error itself does not tell.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// shownError is the end of a command whose view has already said why.
type shownError struct{ code int }

func (e *shownError) Error() string { return "already shown" }

// exitCode is the one place where errors become exit codes.
func exitCode(ctx context.Context, err error) int {
	var (
		shown  *shownError
		coded  *codeError
		failed *engine.Error
		flow   *grant.Error
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &shown):
		return shown.code
	case ctx.Err() != nil, errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &failed):
		return classCode(failed)
	case errors.As(err, &flow):
		return kindCode(flow.Kind)
	}
	return stateCode(err)
}

func classCode(e *engine.Error) int {
	switch e.Class {
	case engine.ClassNeedsUser:
		return exitNeedsPerson
	case engine.ClassTemporary:
		return exitTryAgain
	case engine.ClassState:
		return exitState
	}
	var flow *grant.Error
	if errors.As(e.Err, &flow) && flow.Kind == grant.Interrupted {
		return exitInterrupted
	}
	return exitError
}

func kindCode(k grant.Kind) int {
	switch k {
	case grant.NeedsUser, grant.Expired, grant.Rejected:
		return exitNeedsPerson
	case grant.Temporary:
		return exitTryAgain
	case grant.Interrupted:
		return exitInterrupted
	}
	return exitError
}

func stateCode(err error) int {
	for _, e := range []error{state.ErrNoKey, state.ErrTampered, state.ErrRollback, state.ErrFormat, state.ErrPlace} {
		if errors.Is(err, e) {
			return exitState
		}
	}
	for _, e := range []error{state.ErrBusy, state.ErrConflict} {
		if errors.Is(err, e) {
			return exitTryAgain
		}
	}
	return exitError
}

// outcomeCode is the exit code of an apply: a broken state first, then errors,
// then people who are missing, then what may work later.
func outcomeCode(ctx context.Context, out *engine.Outcome) int {
	var seen [exitInterrupted + 1]bool
	for _, r := range out.Results {
		switch r.State {
		case engine.Failed:
			err := r.Err
			if err == nil {
				err = errors.New("failed")
			}
			seen[exitCode(context.WithoutCancel(ctx), err)] = true
		case engine.Waiting:
			seen[exitNeedsPerson] = true
		}
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	for _, code := range []int{exitInterrupted, exitState, exitError, exitNeedsPerson, exitTryAgain} {
		if seen[code] {
			return code
		}
	}
	return exitDone
}
