"""Health reports of deployments: `facts` asks the states, `page` makes one HTML page of them, `work` is the job around
them, `outbox` mails it. The charts are drawn by the functions that the setting REPORT_CHARTS names."""
