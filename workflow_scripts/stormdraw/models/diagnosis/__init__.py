"""What a trained model does well and badly, looked at from the inside."""
