"""Run row-local work: jobs, the scheduler that hands them out, local processes or Ray actors."""
