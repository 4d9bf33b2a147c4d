# Makes a C file that holds the files of a directory: cmake -DOUT=… -DFILES=a;b -P assets.cmake
set(text "/* made from gateway/console by gateway/assets.cmake */\n#include \"gateway/shell/http.h\"\n\n")
set(table "")
set(index 0)
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(APPEND text "__asm__(\".section .rodata\\n.balign 8\\nasset_${index}_begin:\\n.incbin \\\"${file}\\\"\\nasset_${index}_end:\\n.byte 0\\n.previous\");\n"
        "extern const unsigned char asset_${index}_begin[], asset_${index}_end[];\n")
    string(APPEND table "    { \"${name}\", asset_${index}_begin, asset_${index}_end },\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "${text}\nconst struct asset assets[] = {\n${table}};\nconst size_t asset_count = ${index};\n")
