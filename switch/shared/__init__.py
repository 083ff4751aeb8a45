"""What switch backends share."""
