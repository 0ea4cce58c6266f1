"""Row-local work: jobs, the scheduler that hands them out, processes here or Ray actors."""
