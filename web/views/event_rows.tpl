<ul class="rows" role="list">
% for entry in entries:
  <li>
    <p><strong>{{entry['text']}}</strong>{{': ' + entry['subject'] if entry['subject'] else ''}}{{' (' + entry['detail'] + ')' if entry['detail'] else ''}}<br>
    <span class="hint"><time datetime="{{entry['at_machine']}}">{{entry['at']}}</time> UTC, by {{entry['actor']}}, from {{entry['address']}}</span></p>
  </li>
% end
</ul>
