"""What any library needs: files, tables, fonts, threads. Nothing here knows what a runner is."""
