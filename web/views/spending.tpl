% rebase('layout.tpl', title='Spending – Caption Gallery', sheet='accounts')
<section class="sheet account">
<h1>Spending</h1>
<p>What the models that describe photos cost. Days and months are those of UTC; prices are estimates from a dated table.</p>
% for line in caps:
<p>{{line}}</p>
% end
<section aria-labelledby="totals_title">
<h2 id="totals_title">Totals</h2>
% include('spending_table.tpl', caption='Totals', head='Period', rows=totals)
% if unsettled:
<p>{{unsettled}}</p>
% end
</section>
% for title, head, rows in tables:
<section aria-labelledby="{{head}}_title">
<h2 id="{{head}}_title">{{title}}</h2>
%   if rows:
%     include('spending_table.tpl', caption=title, head=head, rows=rows)
%   else:
<p>No model has answered yet.</p>
%   end
</section>
% end
</section>
