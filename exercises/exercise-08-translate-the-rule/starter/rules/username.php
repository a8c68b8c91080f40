<?php
// The name under which a reader uses our computers. - Camille
//
// Names are written in English letters, digits and spaces. Some people leave theirs empty; they are guests.
function username(string $name): string
{
    $name = strtolower(trim($name));
    if (empty($name)) {
        return 'guest';
    }
    $name = str_replace(' ', '.', $name);
    return substr($name, 0, 8) . strlen($name);
}
