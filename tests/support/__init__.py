"""What tests share: a running stack, people, the app, a browser, and waiting for conditions."""
