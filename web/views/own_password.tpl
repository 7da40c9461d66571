<input type="text" name="username" value="{{caller.account.name}}" autocomplete="username" hidden>
<label for="{{field}}">Your password</label>
<input id="{{field}}" name="password" type="password" maxlength="{{shared.max_password_length}}" autocomplete="current-password" required>
