"""The handlers of the Lambda functions, and the build of every archive that is deployed."""
