package clients

import (
	"sync"
	"sync/atomic"
)

// Parallel does `work` for 0..count-1, some of them at a time, and returns the first error.
func Parallel(count, atOnce int, work func(int) error) error {
	var next atomic.Int64
	var failure atomic.Pointer[error]
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for failure.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				if err := work(i); err != nil {
					failure.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	group.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}
