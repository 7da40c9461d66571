<section aria-labelledby="spending_title">
<h2 id="spending_title">What your descriptions cost</h2>
% include('spending_table.tpl', caption='Answers of models about your photos', head='Period', rows=spending)
% if unsettled:
<p>{{unsettled}}</p>
% end
<p class="hint">Days and months are those of UTC. Prices are estimates from a dated table.</p>
</section>
