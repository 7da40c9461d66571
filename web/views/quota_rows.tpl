<ul class="rows" role="list">
% for what, used, limit in quota:
  <li><p>{{what}}: <strong>{{used}}</strong> of {{limit}}</p></li>
% end
</ul>
