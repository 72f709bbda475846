"""What can be done at a source from a page: `rows` declares them, `forms` what each asks, `sections` where they stand.

`dashboard.views.acts` shows and takes the forms; `dashboard.acting` turns them into commands.
"""
