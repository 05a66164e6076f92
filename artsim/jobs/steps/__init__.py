"""Parts of jobs: each module is a step that one job or several take. A step imports no job."""
