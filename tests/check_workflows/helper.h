#pragma once

int helper_of_another_file();
int helper_of_nobody();
