"""Charts: data apart from drawing, drawn twice from the same numbers.

A chart module (``lane``, ``accuracy``, ``service``, ``importance``, ``distribution``, ``drift_over_time``,
``predictions``, ``predicted_actual``, ``batches``, ``ranked``) has frozen *points*, a function that turns them into a
``plot.Plot`` (panels of marks in data coordinates, colours by token), a computed finding, a summary for screen readers
and the rows of its table twin; a ``chart.Chart`` binds the five together. ``draw_svg`` draws a plot as the server's
first paint (and for mail by ``raster``), ``draw_plotly`` as the figure that takes over in the browser. ``heat`` gives
the cells of an HTML table.

Read in this order: ``theme`` (every colour), ``words`` (every number in words), ``scales``, ``plot``, ``timeline``.
To add a chart: points, plot, title, summary, columns and rows in one module; bind them; add real points to
``tests/dashboard/charts/flights.py`` and one line to the table of ``test_charts.py``.
"""
