"""What can be measured on a provider's file where it lies; nothing of it is sent anywhere."""
