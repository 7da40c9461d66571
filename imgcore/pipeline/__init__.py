"""What the Lambda functions do: one task of one image, and the sweep each minute."""
